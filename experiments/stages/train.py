"""Stage `train`: one recipe, one backend, one seed, one process."""

from contextlib import AbstractContextManager

from experiments.contract.run_log import outputs_tag
from experiments.frameworks import load_backend
from experiments.reports.complete import train_completely
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.locks import exclusive
from experiments.system.processes import age
from experiments.tracking import runs, store
from experiments.tracking.run import track
from experiments.tracking.tracker import Tracker
from experiments.training.checkpoint import State
from experiments.training.outputs import write_outputs
from experiments.training.session import open_session
from experiments.training.training import fingerprint, make_training, tags_of


def train(project: Project, params: Params, key: RunKey) -> dict[str, float]:
    """Train, track, score, and fill runs/<recipe>/<backend>/<seed>/; return the final metrics.

    Resumes from the checkpoint of a training that was stopped, if nothing that decides its bits has changed.

    Raises:
        TandemError: there is no such recipe, no prepared dataset or no such device, the recipe doesn't fit the
            dataset, or another process trains the same.
    """
    training, experiment = make_training(project, params, key), store.connect(project)
    backend = load_backend(key.backend, device=params.train.device, threads=training.threads)
    backend.phases.restart(imports=age())
    folder = project.checkpoint(key, fingerprint(training, backend))

    def open_run(state: State | None) -> AbstractContextManager[Tracker]:
        tags = {**tags_of(training, backend), **outputs_tag(project, key)}
        resume = runs.active(state.run_id if state else None)
        return track(key.label, experiment=experiment, tags=tags, command=f"tandem train {key}", resume=resume)

    with exclusive(folder, str(key)):
        with open_session(folder, training, backend, open_run) as session:
            outputs = train_completely(project, session)
            runs.supersede(experiment, session.tracker.run_id)
        # Once the run is closed, so that outputs which exist belong to a run that is complete.
        write_outputs(project.run(key), outputs, session.model)
        session.checkpoint.clear()
    return dict(outputs.metrics)
