"""What a trial costs its worker beside training: `python -m benchmarks.trials [RECIPE …] [--backend B] [--images N]`.

Trials with settings of their own, one after another in this process, as a worker runs them, but without Optuna and
MLflow (`python -m benchmarks.sweep efficiency` has those): model and initial weights, its layers, two epochs on noise
of MNIST's size and shape, each with its validation and its checkpoint, and the memory freed. What the second epoch
takes, all of it, is training; what the trial takes beside two of those is not. Wants an idle core.
"""

import argparse
import gc
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.sweep import OVERHEAD, judge
from benchmarks.workload import MEAN, ROOT, STD, images_and_labels
from experiments.contract.backend import Backend, TrainingSettings
from experiments.contract.layers import Inspection
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import FloatArray, draw_weights
from experiments.data.dataset import IMAGE_SHAPE, Images, Split
from experiments.frameworks import load_backend, load_inspection
from experiments.settings.params import load_params
from experiments.settings.recipe import BackendName, Recipe
from experiments.training.scoring import score_model

LOG_EVERY_STEPS = 50


class Clock:
    """A listener that scores every epoch on the validation split, and keeps when each had ended."""

    def __init__(self, validation: Split) -> None:
        self.validation = validation
        self.ends: list[float] = []

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Do nothing."""

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        """Score the model, as a trial does."""
        score_model(model, self.validation)
        self.ends.append(time.perf_counter())
        return True


@dataclass(frozen=True)
class Worker:
    """A framework and the data that all trials share."""

    backend: Backend[Model]
    inspection: Inspection[Model]
    train: Split
    validation: Split

    def trial(self, recipe: Recipe, checkpoint: Path) -> tuple[float, float]:
        """Return the seconds that a trial took, and those of its second epoch."""
        started, clock = time.perf_counter(), Clock(self.validation)
        settings = ModelSettings(
            recipe.architecture,
            IMAGE_SHAPE,
            10,
            recipe.dropout,
            1 / (255 * STD),
            -MEAN / STD,
            options=recipe.option_pairs,
        )
        model = self.backend.build(settings)
        model.set_weights(draw_weights(model.parameters(), recipe, seed=1))
        self.inspection.layers(model)
        training = TrainingSettings(recipe, 1, LOG_EVERY_STEPS)
        data: Images = self.train.images
        self.backend.train(model, data, self.train.labels, training, checkpoint=checkpoint, listener=clock)
        del model
        self.backend.forget_models()
        checkpoint.unlink()
        return time.perf_counter() - started, clock.ends[1] - clock.ends[0]


def settings_of(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe with values of its own for all that a sweep tunes."""
    changes = {"lr": recipe.lr * (1 + number / 100), "epochs": 2}
    changes |= {"momentum": 0.5 + number / 100} if recipe.momentum is not None else {}
    changes |= {"dropout": 0.2 + number / 100} if recipe.dropout is not None else {}
    return recipe.model_copy(update=changes)


def measure(worker: Worker, recipe: Recipe, trials: int) -> tuple[float, float]:
    """Return the medians of what a trial took beside its epochs, and of an epoch; the first trial doesn't count."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(trials):
            measured.append(worker.trial(settings_of(recipe, number), Path(folder) / "last.weights.h5"))
            if number == 0:  # as a worker does
                gc.collect()
                gc.freeze()
    beside = [trial - 2 * epoch for trial, epoch in measured[1:]]
    return statistics.median(beside), statistics.median(epoch for _, epoch in measured[1:])


def main() -> None:
    """Measure each recipe, and exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials")
    parser.add_argument("recipes", nargs="*", default=["lenet", "cnn3-sgd"], metavar="RECIPE")
    parser.add_argument("--backend", default="keras", choices=["lightning", "keras"])
    parser.add_argument("--images", type=int, default=60_000, help="a tenth of them for validation")
    parser.add_argument("--trials", type=int, default=6, help="the first of which is not counted")
    asked = parser.parse_args()
    name: BackendName = asked.backend
    images, labels = images_and_labels(asked.images)
    cut = asked.images // 10
    splits = Split(images[cut:], labels[cut:]), Split(images[:cut], labels[:cut])
    worker = Worker(load_backend(name, device="cpu", threads=1), load_inspection(name), *splits)
    missed = 0
    for recipe in asked.recipes:
        beside, epoch = measure(worker, load_params(ROOT / "params.yaml").recipe(recipe), asked.trials)
        print(f"{name}, {recipe}: {beside:.2f} s beside training, an epoch {epoch:.2f} s, 1 thread", flush=True)
        missed += judge("of a trial of one epoch", beside / (beside + epoch), OVERHEAD, least=False)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
