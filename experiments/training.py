"""A training, whoever asks for it: what it stands on, its model, its record. The train stage and sweeps share it."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.backend import Backend, Model, model_settings
from experiments.dataset import Dataset, Split, batch_order
from experiments.errors import TandemError
from experiments.files import digest
from experiments.git import read_checkout
from experiments.initialise import draw_weights
from experiments.params import BackendName, Recipe
from experiments.project import Project
from experiments.stages.sources import code_digest
from experiments.tracking import Tracker

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


def check_fits(training: Training) -> None:
    """Refuse a recipe that doesn't fit its dataset.

    Raises:
        TandemError: the images have another size, or not even one batch is whole and short ones are left out.
    """
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


def stands_on(root: Path, training: Training, backend: Backend) -> str:
    """Return a digest of all that decides a training's bits: a checkpoint is of use only where none of it changed."""
    decides = {
        "recipe": training.recipe.model_dump(),
        "seed": training.seed,
        "dataset": training.dataset.fingerprint,
        "device": backend.device,
        "threads": training.threads,
        "log_every_steps": training.log_every_steps,
        "versions": backend.versions(),
        "code": code_digest(root, training.backend, training.recipe.architecture),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def tags_of(root: Path, training: Training, backend: Backend) -> dict[str, str]:
    """Return the tags of the training's MLflow run."""
    framework, version = next(iter(backend.versions().items()))
    checkout = read_checkout(root)
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


def start_record(root: Path, training: Training, model: Model) -> dict[str, Any]:
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


def track_start(project: Project, training: Training, record: dict[str, Any], tracker: Tracker) -> None:
    """Log settings, params.yaml, uncommitted changes and the dataset; a resumed run has them already."""
    settings = {name: value for name, value in training.recipe.model_dump().items() if value not in (None, {})}
    start = {name: value for name, value in record.items() if name != "recipe"}
    tracker.params({**settings, **start, "backend": training.backend})
    tracker.file(project.params)
    if diff := read_checkout(project.root).diff:
        tracker.text(diff, "git.diff")
    dataset, split = training.dataset, training.split
    tracker.dataset(dataset.name, dataset.fingerprint, dataset.folder, split.images, split.labels)
