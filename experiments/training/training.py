"""One training: which recipe, backend and seed, on which data, with which code."""

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from experiments.contract.backend import Backend, TrainingSettings
from experiments.contract.model import Model
from experiments.contract.schedule import steps_of_epoch
from experiments.data.dataset import Dataset, Split, load_dataset
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import Recipe
from experiments.system.environment import cpu_name
from experiments.system.git import Checkout, read_checkout
from experiments.system.processes import threads_for
from experiments.training.code import code_digest
from experiments.training.fits import check_fits

# MLflow takes 8000 characters of a tag.
MOST_NAMES = 2000


@dataclass(frozen=True)
class Code:
    """The code that trains, as it was when the process began: the checkout, and the digest of `training.code`."""

    checkout: Checkout
    digest: str


@dataclass(frozen=True)
class Training:
    """What is trained: `key` names it, the rest decides its bits. A relative path of weights begins in `home`."""

    key: RunKey
    recipe: Recipe
    dataset: Dataset
    code: Code
    threads: int
    log_every_steps: int
    home: Path

    @cached_property
    def images(self) -> Split:
        """The images and labels to train on."""
        return self.dataset.training_split(self.recipe.train_on)

    @property
    def settings(self) -> TrainingSettings:
        """What a backend needs to know, besides the model and the images."""
        return TrainingSettings(self.recipe, self.key.seed, self.log_every_steps)

    @property
    def pair(self) -> str:
        """What the two runs of a pair share and no other run has: recipe, seed, a digest of settings and data."""
        settings = f"{self.recipe.model_dump_json()} {self.dataset.fingerprint}"
        return f"{self.key.recipe}-{self.key.seed}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"

    @property
    def images_per_epoch(self) -> int:
        """How many images an epoch trains on."""
        images, size = len(self.images.labels), self.recipe.batch_size
        return images // size * size if self.recipe.drop_last else images

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches, a last short one included."""
        return steps_of_epoch(self.recipe, len(self.images.labels))

    @property
    def validation(self) -> Split | None:
        """The images that are held out; None for a recipe that trains on them."""
        return self.dataset.split("validation") if self.recipe.train_on == "train" else None


def make_training(project: Project, params: Params, key: RunKey) -> Training:
    """Return the training of a recipe in params.yaml.

    Raises:
        TandemError: there is no such recipe or no prepared dataset, or they don't fit each other.
    """
    recipe, dataset = params.recipe(key.recipe), load_dataset(project.prepared)
    check_fits(key.recipe, recipe, dataset)
    code = Code(read_checkout(project.root), code_digest(key.backend, recipe.architecture))
    threads, every = threads_for(params.train.threads), params.train.log_every_steps
    return Training(key, recipe, dataset, code, threads, every, project.home)


def fingerprint(training: Training, backend: Backend[Model]) -> str:
    """Return a digest of all that decides a training's bits: a checkpoint is of use only while none of it changes."""
    decides = {
        "recipe": training.recipe.model_dump(),
        "seed": training.key.seed,
        "dataset": training.dataset.fingerprint,
        "device": backend.device,
        "threads": training.threads,
        "log_every_steps": training.log_every_steps,
        "code": training.code.digest,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def environment_of(training: Training, backend: Backend[Model]) -> dict[str, str]:
    """Return what a training runs on: device, threads, and versions; two runs that differ in it are no fair pair."""
    return {
        "device": backend.device,
        "threads": str(training.threads),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{package: version(package) for package in ("numpy", "scipy")},
        **backend.versions(),
    }


def tags_of(training: Training, backend: Backend[Model]) -> dict[str, str]:
    """Return the tags of the training's MLflow run."""
    versions = backend.versions()
    framework, number = next(iter(versions.items()))
    checkout = training.code.checkout
    return {
        "recipe": training.key.recipe,
        "backend": training.key.backend,
        "seed": str(training.key.seed),
        "pair": training.pair,
        "dataset": training.dataset.name,
        "dataset_fingerprint": training.dataset.fingerprint,
        "git_commit": checkout.commit,
        "git_dirty": str(checkout.dirty).lower(),
        "git_changes": checkout.changes,
        "git_untracked": " ".join(checkout.untracked)[:MOST_NAMES] or "none",
        "dvc_stage": os.environ.get("DVC_STAGE", "none"),
        "dvc_experiment": os.environ.get("DVC_EXP_NAME") or "none",
        "framework_version": f"{framework} {number}",
        "device": backend.device,
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "version.python": platform.python_version(),
        **{f"version.{package}": version(package) for package in ("numpy", "scipy")},
        **{f"version.{package}": number for package, number in versions.items()},
    }
