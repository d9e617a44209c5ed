"""Stage `train`: one recipe, one backend, one seed, one process."""

from experiments.frameworks import load_backend
from experiments.reports.plots import training_plots
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.tracking import store
from experiments.training.outputs import make_outputs, write_outputs
from experiments.training.recorder import Recorder
from experiments.training.session import RunSettings, open_session
from experiments.training.training import make_training, tags_of


def train(project: Project, params: Params, key: RunKey) -> dict[str, float]:
    """Train, track, score, and fill runs/<recipe>/<backend>/<seed>/; return the final metrics.

    Resumes from the checkpoint of a training that was stopped, if nothing that decides its bits has changed.

    Raises:
        TandemError: there is no such recipe, no prepared dataset or no such device, the recipe doesn't fit the
            dataset, or another process trains the same.
    """
    training = make_training(project, params, key)
    dataset = training.dataset
    experiment = store.connect(project)
    backend = load_backend(key.backend, device=params.train.device, threads=training.threads)
    settings = RunSettings(experiment, command=f"tandem train {key}", tags=tags_of(training, backend))
    with open_session(project, training, backend, settings) as session:
        recorder = Recorder(session, load_test=lambda: dataset.split("test"))
        session.train(recorder)
        outputs = make_outputs(session, recorder.finish(session.model))
        for name, plot in training_plots(key, dataset, outputs).items():
            session.tracker.plot(plot, name)
        session.tracker.model(key.backend, session.model, images=dataset.split("train").images[:2])
        # Once the run is closed, so that outputs which exist belong to a run that is complete.
        session.when_closed.append(lambda: write_outputs(project.run(key), outputs, session.model))
    return dict(outputs.metrics)
