"""A training, whoever asks for it: what it stands on, its model, its record. The train stage and sweeps share it."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.backend import Backend, Listener, Model, TrainingSettings, load_inspection, model_settings
from experiments.checkpoint import Checkpoint, State
from experiments.dataset import IMAGE_SHAPE, Dataset, Split, batch_order
from experiments.errors import TandemError
from experiments.files import digest
from experiments.git import Checkout, read_checkout
from experiments.initialise import draw_weights
from experiments.layers import layer_table, multiply_adds
from experiments.params import BackendName, Recipe
from experiments.progress import TrainingProgress
from experiments.project import Project
from experiments.recorder import Recorder
from experiments.stages.sources import code_digest
from experiments.tracking import Tracker


@dataclass(frozen=True)
class Code:
    """The code that trains, as it was when the process began: the checkout, and a digest of the files in use."""

    checkout: Checkout
    digest: str


def read_code(root: Path, backend: BackendName, architecture: str) -> Code:
    """Return the code of a training."""
    return Code(read_checkout(root), code_digest(root, backend, architecture))


@dataclass(frozen=True)
class Training:
    """Which training this is, and on what."""

    name: str
    recipe: Recipe
    backend: BackendName
    seed: int
    dataset: Dataset
    split: Split
    code: Code
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

    @property
    def validation(self) -> Split | None:
        """The images that are held out, unless the recipe trains on them."""
        return self.dataset.split("validation") if self.recipe.train_on == "train" else None


def check_fits(name: str, recipe: Recipe, dataset: Dataset) -> None:
    """Refuse a recipe that doesn't fit its dataset.

    Raises:
        TandemError: the images have another size, or not even one batch is whole and short ones are left out.
    """
    if dataset.image_shape != IMAGE_SHAPE:
        raise TandemError(
            f"prepared/: architecture {recipe.architecture}: expected images of {IMAGE_SHAPE}; "
            f"got {dataset.image_shape}; resize the images in data/"
        )
    images = len(dataset.training_split(recipe.train_on).labels)
    if recipe.drop_last and images < recipe.batch_size:
        raise TandemError(
            f"params.yaml: recipes.{name}.batch_size: expected at most {images}, "
            f"the number of training images, since drop_last is true; got {recipe.batch_size}"
        )


def stands_on(training: Training, backend: Backend, *, any_threads: bool = False) -> str:
    """Return a digest of all that decides a training's bits: a checkpoint is of use only where none of it changed.

    `any_threads` leaves out their number, which decides no more than how sums are rounded.
    """
    decides = {
        "recipe": training.recipe.model_dump(),
        "seed": training.seed,
        "dataset": training.dataset.fingerprint,
        "device": backend.device,
        "threads": None if any_threads else training.threads,
        "log_every_steps": training.log_every_steps,
        "versions": backend.versions(),
        "code": training.code.digest,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def tags_of(training: Training, backend: Backend) -> dict[str, str]:
    """Return the tags of the training's MLflow run."""
    framework, version = next(iter(backend.versions().items()))
    checkout = training.code.checkout
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


def build_model(training: Training, backend: Backend) -> Model:
    """Return the model with its initial weights.

    Raises:
        TandemError: `initialiser_exceptions` names a parameter that there is not.
    """
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


def train_in_run(
    project: Project,
    training: Training,
    backend: Backend,
    model: Model,
    *,
    checkpoint: Checkpoint,
    state: State,
    tracker: Tracker,
    load_test: Callable[[], Split],
    listen: Callable[[Recorder], Listener] = lambda recorder: recorder,
    files: bool = True,
) -> tuple[Recorder, dict[str, Any]]:
    """Train a model inside its MLflow run; return its recorder, and what it started from.

    `listen` may put another listener before the recorder. `files`: log what many runs of one kind share, too.
    """
    recipe = training.recipe
    layers = load_inspection(training.backend).layers(model)
    record = _start_record(training, model) | {"multiply_adds": multiply_adds(layers)}
    if files:
        track_files(project, training.code.checkout, tracker)
        tracker.text(layer_table(layers), "layers.md")
    _track_start(training, record, tracker)
    images = training.images_per_epoch
    progress = TrainingProgress(training.label, epochs=recipe.epochs, steps=-(-images // recipe.batch_size))
    recorder = Recorder(
        recipe,
        images_per_epoch=images,
        validation=training.validation,
        load_test=load_test,
        state=state,
        checkpoint=checkpoint,
        tracker=tracker,
        progress=progress,
    )
    settings = TrainingSettings(recipe, training.seed, training.log_every_steps)
    split = training.split
    with progress:
        backend.train(
            model, split.images, split.labels, settings, checkpoint=checkpoint.file, listener=listen(recorder)
        )
    return recorder, record


def _start_record(training: Training, model: Model) -> dict[str, Any]:
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
        "code": training.code.digest,
        "threads": training.threads,
        "parameters": sum(value.size for value in weights.values()),
        "initial_weights": digest(weights),
        "batch_order": digest(orders),
    }


def track_files(project: Project, checkout: Checkout, tracker: Tracker) -> None:
    """Log params.yaml and uncommitted changes."""
    tracker.file(project.params)
    if checkout.diff:
        tracker.text(checkout.diff, "git.diff")


def _track_start(training: Training, record: dict[str, Any], tracker: Tracker) -> None:
    """Log settings and the dataset; a resumed run has them already."""
    settings = {name: value for name, value in training.recipe.model_dump().items() if value not in (None, {})}
    start = {name: value for name, value in record.items() if name != "recipe"}
    tracker.params({**settings, **start, "backend": training.backend})
    dataset, split = training.dataset, training.split
    tracker.dataset(dataset.name, dataset.fingerprint, dataset.folder, split.images, split.labels)
