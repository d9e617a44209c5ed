"""Stage `train`: one recipe, one backend, one seed, one process."""

import statistics
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from experiments import figures, tracking
from experiments.backend import Model, load_backend, threads_for
from experiments.checkpoint import Checkpoint, State, sole_owner
from experiments.dataset import load_dataset
from experiments.files import digest
from experiments.outputs import Outputs, write_outputs
from experiments.params import BackendName, Params
from experiments.project import Project
from experiments.recorder import Recorder
from experiments.training import Training, build_model, check_fits, read_code, stands_on, tags_of, train_in_run


def train(project: Project, params: Params, name: str, backend_name: BackendName, seed: int) -> dict[str, float]:
    """Train, track, score, and fill runs/<recipe>/<backend>/<seed>/; return the metrics of the end.

    Goes on from the checkpoint of a training that was stopped, if it stood on the same things.

    Raises:
        TandemError: there is no such recipe, no prepared dataset or no such device, the recipe doesn't fit the
            dataset, or another process trains the same.
    """
    recipe, dataset = params.recipe(name), load_dataset(project.prepared)
    check_fits(name, recipe, dataset)
    training = Training(
        name,
        recipe,
        backend_name,
        seed,
        dataset,
        dataset.training_split(recipe.train_on),
        read_code(project.root, backend_name, recipe.architecture),
        threads_for(params.train.threads),
        params.train.log_every_steps,
    )
    experiment = tracking.connect(project)
    backend = load_backend(backend_name, device=params.train.device, threads=training.threads)
    model = build_model(training, backend)
    folder = project.checkpoint(name, backend_name, seed, stands_on(training, backend))
    with sole_owner(folder, f"{name}/{backend_name}/{seed}"):
        checkpoint = Checkpoint(folder)
        state = checkpoint.load()
        run = tracking.find_run(state.run_id) if state else None
        tags = tags_of(training, backend)
        with tracking.track(
            training.label,
            experiment=experiment,
            tags=tags,
            command=f"tandem train {name} {backend_name} {seed}",
            resume=run.info.run_id if run else None,
        ) as tracker:
            state = state or State(tracker.run_id)
            state.run_id = tracker.run_id
            checkpoint.save(state)
            recorder, record = train_in_run(
                project,
                training,
                backend,
                model,
                checkpoint=checkpoint,
                state=state,
                tracker=tracker,
                load_test=lambda: dataset.split("test"),
            )
            outputs = _outputs(training, recorder, model, {"mlflow_run_id": tracker.run_id, **record, "tags": tags})
            _track_end(training, outputs, model, tracker)
        # Last, so that outputs which are there mean a run that is closed; a kill before goes on from the checkpoint.
        write_outputs(project.run(name, backend_name, seed), outputs, model)
        checkpoint.clear()
    return dict(outputs.metrics)


def _outputs(training: Training, recorder: Recorder, model: Model, record: dict[str, Any]) -> Outputs:
    score = recorder.finish(model)
    history = [row for _, row in sorted(recorder.state.history.items())]
    metrics = {name: value for name, value in history[-1].items() if name != "epoch"}
    # The first epoch of a process pays for compiling; the median is what another epoch would take.
    for name in ("epoch_seconds", "images_per_second"):
        metrics[name] = statistics.median(row[name] for row in history)
    record |= {
        "final_weights": digest(model.get_weights()),
        "first_batch_loss": recorder.state.first_batch_loss,
        "test_scorings": recorder.state.test_scorings,
    }
    actual = training.dataset.split("test").labels.astype(np.int64)
    return Outputs(metrics, history, record, actual, score.predicted)


def _track_end(training: Training, outputs: Outputs, model: Model, tracker: tracking.Tracker) -> None:
    title = f"{training.label} on {training.dataset.name}"
    tracker.figure(figures.learning_curves(title, {training.backend: outputs.history}), "learning_curves.png")
    counts = confusion_matrix(outputs.actual, outputs.predicted, labels=range(training.dataset.classes))
    tracker.figure(figures.confusion_matrix(f"{title}: test set", counts), "confusion_matrix.png")
    example = training.dataset.split("train").images[:2]
    tracker.model(training.backend, model.native(), model.native_input(example), model.predict(example))
