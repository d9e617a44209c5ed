"""Trainings that take over the graph of the one before, as a worker's trials do, give the bits of fresh processes."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pytest

from experiments.contract.backend import TrainingSettings
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings, Precision
from experiments.contract.weights import Weights, draw_weights
from experiments.frameworks import load_backend, load_inspection
from experiments.settings.recipe import Recipe
from tests.models.backend_probe import Interrupted, Recorder, data, expected, recipe

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Trial:
    """What is trained: a recipe, on images of which `bright` are brighter."""

    recipe: Recipe
    seed: int = 1
    precision: Precision = "float32"
    bright: int = 0


def trial(seed: int = 1, precision: Precision = "float32", bright: int = 0, **settings: Any) -> Trial:
    return Trial(recipe(epochs=2, **settings), seed, precision, bright)


ADAM: dict[str, Any] = {"optimiser": "adam", "momentum": None}
STEP: dict[str, Any] = {"kind": "step", "every_epochs": 1, "gamma": 0.3}
# Each pair shares a graph.
PAIRS = {
    "sgd": (trial(lr=0.02, momentum=0.5), trial(lr=0.013, momentum=0.93, seed=2)),
    "sgd without momentum": (
        trial(lr=0.02, momentum=0.0, weight_decay=0.1, label_smoothing=0.1, schedule={"kind": "cosine"}),
        trial(lr=0.07, momentum=0.0, weight_decay=0.01, label_smoothing=0.3, schedule=STEP),
    ),
    "adam": (trial(lr=0.001, clip_norm=1.0, **ADAM), trial(lr=0.0037, clip_norm=0.3, seed=2, **ADAM)),
    "dropout": (trial(architecture="cnn3", dropout=0.4), trial(architecture="cnn3", dropout=0.13, lr=0.013, seed=2)),
    "dropout in three layers": (
        trial(architecture="basic_cnn", dropout=0.7, lr=0.001, **ADAM),
        trial(architecture="basic_cnn", dropout=0.31, lr=0.0007, **ADAM),
    ),
    "float64": (
        trial(architecture="cnn3", dropout=0.4, precision="float64"),
        trial(architecture="cnn3", dropout=0.1, lr=0.1, momentum=0.3, precision="float64"),
    ),
}
# Neighbours don't share a graph.
STRANGERS = {
    "lenet": trial(),
    "no momentum": trial(momentum=0.0),
    "smoothed labels": trial(momentum=0.0, label_smoothing=0.1),
    "complete batches": trial(momentum=0.0, drop_last=True),
    "smaller batches": trial(batch_size=16),
    "other images": trial(batch_size=16, bright=100),
    "dropout": trial(architecture="cnn3", dropout=0.4),
    "bfloat16": Trial(recipe(epochs=2, architecture="cnn3", dropout=0.4, precision="bfloat16")),
    "an option": trial(architecture="cnn3", dropout=0.4, options={"filters": 4}),
    "a rate of 0": trial(architecture="cnn3", dropout=0.0),
    "own class": trial(architecture="cnn3-subclassed", dropout=0.4),
    "own class, other rate": trial(architecture="cnn3-subclassed", dropout=0.6),
}


class Worker:
    """Trains trial after trial in one process, as a sweep's worker does."""

    def __init__(self) -> None:
        self.backend, self.inspection = load_backend("keras", device="cpu", threads=1), load_inspection("keras")
        self.trainees: dict[int, Any] = {}

    def train(self, trial: Trial, *, checkpoint: Path | None = None, stop_after: int | None = None) -> Weights:
        wanted, (images, labels) = trial.recipe, data()
        images[: trial.bright] += 100
        built = ModelSettings(wanted.architecture, (28, 28, 1), 10, wanted.dropout, 1 / 60, -2.0, trial.precision)
        model: Any = self.backend.build(replace(built, options=wanted.option_pairs))
        model.set_weights(draw_weights(model.parameters(), wanted, seed=trial.seed))
        self.inspection.layers(model)
        training, listener = TrainingSettings(wanted, trial.seed, 3), Predicting(stop_after)
        try:
            self.backend.train(model, images, labels, training, checkpoint=checkpoint, listener=listener)
            weights: Weights = model.get_weights()
            return weights | {"predicted": listener.predicted, "losses": np.concatenate(listener.losses)}
        finally:
            self.trainees[id(model.trainee)] = model.trainee
            self.backend.forget_models()

    def graphs(self) -> int:
        return sum(trainee.train_step.experimental_get_tracing_count() for trainee in self.trainees.values())


class Predicting(Recorder):
    """A listener that keeps the losses, and the logits after the last epoch."""

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        self.predicted = model.predict(data()[0])
        return True


def fresh(trial: Trial) -> Weights:
    return Worker().train(trial)


class Processes:
    """Runs each function in a process of its own, in which TensorFlow is imported, and has done nothing yet.

    They are forked from one that only imports it, since an import takes longer than these trainings.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["models_tf.backend.backend"])
        self.executor = ProcessPoolExecutor(1, context, max_tasks_per_child=1)

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return self.executor.submit(function, *args, **kwargs).result()


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    made = Processes()
    with made.executor:
        yield made


def first_second_first(first: Trial, second: Trial, folder: Path) -> tuple[list[Weights], int]:
    """Train the first of a pair, the second, both again, and the second once more, stopped after an epoch."""
    worker, file = Worker(), folder / "last.weights.h5"
    trained = [worker.train(each) for each in (first, second, first, second)]
    with expected(Interrupted):
        worker.train(second, checkpoint=file, stop_after=1)
    worker.train(first)
    resumed = worker.train(second, checkpoint=file)
    resumed["losses"] = trained[1]["losses"]  # it has those of the second epoch only
    return [*trained, resumed], worker.graphs()


@pytest.mark.parametrize("pair", list(PAIRS))
def test_a_graph_that_trials_share_gives_the_bits_of_a_fresh_process(
    processes: Processes, pair: str, tmp_path: Path
) -> None:
    trained, graphs = processes.call(first_second_first, *PAIRS[pair], tmp_path)
    assert graphs == 1
    first, second = trained[0], processes.call(fresh, PAIRS[pair][1])  # nothing came before the first
    for again, alone in zip(trained, (first, second, first, second, second), strict=True):
        assert_equal(again, alone)
    assert not np.array_equal(first["losses"], second["losses"])


def one_after_another(trials: list[Trial]) -> list[Weights]:
    worker = Worker()
    return [worker.train(trial) for trial in trials]


def test_trials_that_share_no_graph_give_the_bits_of_fresh_processes(processes: Processes) -> None:
    trained = processes.call(one_after_another, list(STRANGERS.values()))
    for weights, trial in zip(trained, STRANGERS.values(), strict=True):
        assert_equal(weights, processes.call(fresh, trial))


def assert_equal(actual: Weights, expected: Weights) -> None:
    assert list(actual) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, strict=True, err_msg=name)
