"""Stage `train`: one recipe, one backend, one seed, one process."""

import hashlib
import json
import os
import statistics
from dataclasses import dataclass
from pathlib import Path
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
    model_settings,
    threads_for,
)
from experiments.checkpoint import Checkpoint, State, sole_owner
from experiments.dataset import Dataset, Split, batch_order, load_dataset
from experiments.errors import TandemError
from experiments.files import digest
from experiments.git import read_checkout
from experiments.initialise import draw_weights
from experiments.layers import layer_table, multiply_adds
from experiments.outputs import Outputs, write_outputs
from experiments.params import BackendName, Params, Recipe
from experiments.progress import TrainingProgress
from experiments.project import Project
from experiments.recorder import Recorder
from experiments.stages.sources import code_digest

IMAGE_SHAPE = (28, 28)


@dataclass(frozen=True)
class Training:
    """Which training this is, and on what."""

    name: str
    recipe: Recipe
    backend: BackendName
    seed: int
    dataset: Dataset
    split: Split
    threads: int
    log_every_steps: int

    @property
    def label(self) -> str:
        """The training's name on screen and in MLflow."""
        return f"{self.name}-{self.backend}-{self.seed}"

    @property
    def pair(self) -> str:
        """What both members of a pair share and no other run does: recipe, seed, a digest of settings and data."""
        settings = f"{self.recipe.model_dump_json()} {self.dataset.fingerprint}"
        return f"{self.name}-{self.seed}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"

    @property
    def images_per_epoch(self) -> int:
        """How many images an epoch trains on."""
        images, size = len(self.split.labels), self.recipe.batch_size
        return images // size * size if self.recipe.drop_last else images


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
    _check_fits(training)
    experiment = tracking.connect(project)
    backend = load_backend(backend_name, device=params.train.device, threads=training.threads)
    model = _build(training, backend)
    folder = project.checkpoint(name, backend_name, seed, _stands_on(project, training, backend))
    with sole_owner(folder):
        checkpoint = Checkpoint(folder)
        state = checkpoint.load()
        run = tracking.find_run(state.run_id) if state else None
        tags = _tags(project, training, backend)
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


def _check_fits(training: Training) -> None:
    if training.dataset.image_shape != IMAGE_SHAPE:
        raise TandemError(
            f"prepared/: architecture {training.recipe.architecture}: expected images of {IMAGE_SHAPE}; "
            f"got {training.dataset.image_shape}; resize the images in data/"
        )
    if not training.images_per_epoch:
        raise TandemError(
            f"params.yaml: recipes.{training.name}.batch_size: expected at most {len(training.split.labels)}, "
            f"the number of training images, since drop_last is true; got {training.recipe.batch_size}"
        )


def _stands_on(project: Project, training: Training, backend: Backend) -> str:
    """Return a digest of all that decides a training's bits: a checkpoint is of use only where none of it changed."""
    decides = {
        "recipe": training.recipe.model_dump(),
        "seed": training.seed,
        "dataset": training.dataset.fingerprint,
        "device": backend.device,
        "threads": training.threads,
        "log_every_steps": training.log_every_steps,
        "versions": backend.versions(),
        "code": code_digest(project.root, training.backend, training.recipe.architecture),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def _tags(project: Project, training: Training, backend: Backend) -> dict[str, str]:
    framework, version = next(iter(backend.versions().items()))
    checkout = read_checkout(project.root)
    return {
        "recipe": training.name,
        "backend": training.backend,
        "seed": str(training.seed),
        "pair": training.pair,
        "dataset": training.dataset.name,
        "dataset_fingerprint": training.dataset.fingerprint,
        "git_commit": checkout.commit,
        "git_dirty": str(checkout.dirty).lower(),
        "dvc_stage": os.environ.get("DVC_STAGE", "none"),
        "framework_version": f"{framework} {version}",
        "device": backend.device,
        **{f"version.{package}": number for package, number in backend.versions().items()},
    }


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
    record = _record(project.root, training, model) | {"multiply_adds": multiply_adds(layers)}
    tracker.text(layer_table(layers), "layers.md")
    _track_start(project, training, record, tracker)
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


def _build(training: Training, backend: Backend) -> Model:
    recipe, dataset = training.recipe, training.dataset
    model = backend.build(
        model_settings(
            recipe,
            image_shape=dataset.image_shape,
            classes=dataset.classes,
            statistics=dataset.statistics[recipe.train_on],
        )
    )
    weights = draw_weights(
        model.parameters(),
        initialiser=recipe.initialiser,
        seed=training.seed,
        exceptions=recipe.initialiser_exceptions,
    )
    model.set_weights(weights)
    return model


def _record(root: Path, training: Training, model: Model) -> dict[str, Any]:
    """Return what the training starts from; the weights are those that the model gives back."""
    recipe = training.recipe
    images = len(training.split.labels)
    orders = {
        f"epoch {epoch}": batch_order(
            images, seed=training.seed, epoch=epoch, batch_size=recipe.batch_size, drop_last=recipe.drop_last
        )
        for epoch in range(1, recipe.epochs + 1)
    }
    weights = model.get_weights()
    return {
        "recipe": recipe.model_dump(),
        "seed": training.seed,
        "code": code_digest(root, training.backend, recipe.architecture),
        "threads": training.threads,
        "parameters": sum(value.size for value in weights.values()),
        "initial_weights": digest(weights),
        "batch_order": digest(orders),
    }


def _track_start(project: Project, training: Training, record: dict[str, Any], tracker: tracking.Tracker) -> None:
    settings = {name: value for name, value in training.recipe.model_dump().items() if value not in (None, {})}
    start = {name: value for name, value in record.items() if name != "recipe"}
    tracker.params({**settings, **start, "backend": training.backend})
    tracker.file(project.params)
    if diff := read_checkout(project.root).diff:
        tracker.text(diff, "git.diff")
    dataset, split = training.dataset, training.split
    tracker.dataset(dataset.name, dataset.fingerprint, dataset.folder, split.images, split.labels)


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
