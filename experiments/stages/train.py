"""Stage `train`: one recipe, one backend, one seed, one process."""

import statistics
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from experiments import figures, tracking
from experiments.backend import (
    Backend,
    Model,
    TrainingSettings,
    load_backend,
    load_inspection,
    threads_for,
)
from experiments.checkpoint import Checkpoint, State, sole_owner
from experiments.dataset import load_dataset
from experiments.files import digest
from experiments.layers import layer_table, multiply_adds
from experiments.outputs import Outputs, write_outputs
from experiments.params import BackendName, Params
from experiments.progress import TrainingProgress
from experiments.project import Project
from experiments.recorder import Recorder
from experiments.training import Training, build_model, check_fits, stands_on, start_record, tags_of, track_start


def train(project: Project, params: Params, name: str, backend_name: BackendName, seed: int) -> dict[str, float]:
    """Train, track, score, and fill runs/<recipe>/<backend>/<seed>/; return the metrics of the end.

    Goes on from the checkpoint of a training that was stopped, if it stood on the same things.

    Raises:
        TandemError: there is no such recipe, no prepared dataset or no such device, the recipe doesn't fit the
            dataset, or another process trains the same.
    """
    recipe, dataset = params.recipe(name), load_dataset(project.prepared)
    training = Training(
        name,
        recipe,
        backend_name,
        seed,
        dataset,
        dataset.training_split(recipe.train_on),
        threads_for(params.train.threads),
        params.train.log_every_steps,
    )
    check_fits(training)
    experiment = tracking.connect(project)
    backend = load_backend(backend_name, device=params.train.device, threads=training.threads)
    model = build_model(training, backend)
    folder = project.checkpoint(name, backend_name, seed, stands_on(project.root, training, backend))
    with sole_owner(folder):
        checkpoint = Checkpoint(folder)
        state = checkpoint.load()
        run = tracking.find_run(state.run_id) if state else None
        tags = tags_of(project.root, training, backend)
        with tracking.track(
            training.label, experiment=experiment, tags=tags, resume=run.info.run_id if run else None
        ) as tracker:
            state = state or State(tracker.run_id)
            state.run_id = tracker.run_id
            checkpoint.save(state)
            outputs = _run(project, training, backend, model, checkpoint, state, tracker, tags)
        # Last, so that outputs which are there mean a run that is closed; a kill before goes on from the checkpoint.
        write_outputs(project.run(name, backend_name, seed), outputs, model)
        checkpoint.clear()
    return dict(outputs.metrics)


def _run(
    project: Project,
    training: Training,
    backend: Backend,
    model: Model,
    checkpoint: Checkpoint,
    state: State,
    tracker: tracking.Tracker,
    tags: dict[str, str],
) -> Outputs:
    """Train and score a model inside its MLflow run, and write the outputs."""
    recipe, dataset = training.recipe, training.dataset
    layers = load_inspection(training.backend).layers(model)
    record = start_record(project.root, training, model) | {"multiply_adds": multiply_adds(layers)}
    tracker.text(layer_table(layers), "layers.md")
    track_start(project, training, record, tracker)
    images = training.images_per_epoch
    progress = TrainingProgress(training.label, epochs=recipe.epochs, steps=-(-images // recipe.batch_size))
    recorder = Recorder(
        recipe,
        images_per_epoch=images,
        validation=dataset.split("validation") if recipe.train_on == "train" else None,
        load_test=lambda: dataset.split("test"),
        state=state,
        checkpoint=checkpoint,
        tracker=tracker,
        progress=progress,
    )
    with progress:
        backend.train(
            model,
            training.split.images,
            training.split.labels,
            TrainingSettings(recipe, training.seed, training.log_every_steps),
            checkpoint=checkpoint.file,
            listener=recorder,
        )
    outputs = _outputs(training, recorder, model, {"mlflow_run_id": tracker.run_id, **record, "tags": tags})
    _track_end(training, outputs, model, tracker)
    return outputs


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
