"""Made-up outputs of runs, and a dataset for them: what a report shows, without training."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from experiments.contract.model import Model
from experiments.data.dataset import Split
from experiments.data.prepare import write_description, write_split
from experiments.settings.project import Project, RunKey
from experiments.training.outputs import Outputs, write_outputs


@dataclass(frozen=True)
class Size:
    """How much there is of everything."""

    images: int = 200
    classes: int = 4
    epochs: int = 3


class SavesNothing:
    """The part of a model that writing outputs needs."""

    def save(self, folder: Path) -> None:
        """Leave an empty file."""
        (folder / "model").touch()


def outputs(key: RunKey, right: int, size: Size) -> Outputs:
    """Return the outputs of a run with so many test images right: the last ones are wrong."""
    number = np.arange(size.images)
    actual = number % size.classes
    predicted = np.where(number < right, actual, (actual + 1) % size.classes)
    history = [
        {
            "epoch": float(epoch),
            "train/loss": 1 / epoch,
            "train/accuracy": 1 - 0.5 / epoch,
            "test/loss": 1.1 / epoch + key.seed / 100,
            "test/accuracy": right / size.images,
        }
        for epoch in range(1, size.epochs + 1)
    ]
    metrics = {**history[-1], "median_epoch_seconds": 2.0, "median_images_per_second": 100.0}
    tags = {"recipe": key.recipe, "backend": key.backend, "seed": str(key.seed), "git_commit": "0123456789abcdef" * 2}
    record = {
        "mlflow_run_id": hashlib.sha256(key.label.encode()).hexdigest()[:32],
        "first_batch_loss": 0.5,
        "initial_weights": "w",
        "batch_order": "o",
        "resources": {
            "seconds": {"imports": 6.0 + key.seed, "compiling": 0.5 * (key.backend == "keras"), "training": 20.0},
            "peak_memory_mb": 800.0 + key.seed,
        },
        "environment": {"device": "cpu", "numpy": "2.4.6", key.backend: "1"},
        "tags": {**tags, "pair": f"{key.recipe}-{key.seed}-5e771235", "dataset": "small"},
    }
    return Outputs(metrics, history, record, actual, predicted, np.linspace(0.5, 1, size.images))


def write_pairs(project: Project, recipes: Sequence[str], seeds: Sequence[int], size: Size) -> None:
    """Write the runs of pairs that differ in one image of a hundred."""
    for recipe in recipes:
        for seed in seeds:
            right = round(size.images * 0.95) - seed % 10
            write_run(project, RunKey(recipe, "lightning", seed), right, size)
            write_run(project, RunKey(recipe, "keras", seed), right - size.images // 100, size)


def write_run(project: Project, key: RunKey, right: int, size: Size) -> None:
    """Write the outputs of one run."""
    write_outputs(project.run(key), outputs(key, right, size), cast(Model, SavesNothing()))


def write_dataset(folder: Path, size: Size) -> None:
    """Write a prepared dataset of noise."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    parts = {"training": (0, 2 * size.images), "test": (2 * size.images, 3 * size.images)}
    pixels = generator.integers(0, 256, (3 * size.images, 28, 28, 1), np.uint8)
    images = Split(pixels, (np.arange(3 * size.images) % size.classes).astype(np.uint16))
    training, test = (write_split(folder, name, images, np.arange(*cut)) for name, cut in parts.items())
    about = {"name": "small", "classes": size.classes, "class_names": None}
    write_description(folder, about, training, test, size.images)
