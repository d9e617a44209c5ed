"""What a worker finds on its node: asked by `tandem sweep check` before anything is spent."""

import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Backend, Device, TrainingSettings
from experiments.contract.model import Model
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Dataset, load_dataset
from experiments.engine.engine import Report
from experiments.frameworks import load_backend
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.errors import TandemError
from experiments.training.code import code_of
from experiments.training.initial import build_model

# So many steps are timed, after as many that compile.
STEPS = 50


@dataclass(frozen=True)
class Question:
    """What a worker is to look at; it writes `file`, on the shared path."""

    project: Project
    recipe: Recipe
    backend: BackendName
    device: Device
    threads: int
    file: Path


class _Nobody:
    """Listens to nothing."""

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        pass

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        return True


def probe(send: Report, asked: Question) -> dict[str, Any]:
    """Return what is found. A task for an engine."""
    facts: dict[str, Any] = {"node": socket.gethostname(), "answer": send("hello")}
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    asked.file.write_text(facts["node"])
    facts["free"] = shutil.disk_usage(asked.file.parent).free
    facts["code"] = code_of(asked.backend, asked.recipe.architecture)
    started = time.perf_counter()
    backend = load_backend(asked.backend, device=asked.device, threads=asked.threads)
    facts["import"], facts["device"] = time.perf_counter() - started, backend.device
    try:
        dataset = load_dataset(asked.project.prepared)
    except TandemError as error:
        return facts | {"data": None, "no_data": error.problem, "epoch": None}
    return facts | {"data": dataset.fingerprint, "epoch": _epoch_seconds(asked.recipe, backend, dataset)}


def _epoch_seconds(recipe: Recipe, backend: Backend[Model], dataset: Dataset) -> float:
    """Return what an epoch takes, as far as some steps can tell."""
    split, short = dataset.training_split(recipe.train_on), recipe.model_copy(update={"epochs": 1})
    count = min(STEPS * recipe.batch_size, len(split.labels))
    seconds = 0.0
    for _ in range(2):  # the first time compiles
        model = build_model(backend, recipe, dataset, seed=0)
        started = time.perf_counter()
        settings = TrainingSettings(short, 0, STEPS)
        images, labels = split.images[:count], split.labels[:count]
        backend.train(model, images, labels, settings, checkpoint=None, listener=_Nobody())
        seconds = time.perf_counter() - started
    return seconds * len(split.labels) / count
