"""Examines architectures: are the twins the same model, trained in the same way?"""

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np

from experiments.contract.backend import Precision, TrainingSettings, model_settings
from experiments.data.dataset import Dataset
from experiments.frameworks import takes_dropout, twins
from experiments.parity import check, jobs, protocol
from experiments.parity.bounds import Key
from experiments.parity.check import Quantity
from experiments.parity.dropout import check_dropout
from experiments.parity.jobs import Job, Processes, Side, Start, Steps, run_on_all
from experiments.parity.protocol import PRECISIONS, Optimiser
from experiments.parity.report import Result, Training
from experiments.parity.vanishing import adam_moves, vanishing_gradients
from experiments.settings.params import Params
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.console import say
from experiments.system.isolated import IsolatedProcess, JobFailed
from experiments.system.processes import threads_for

R = TypeVar("R")


def run_parity(
    dataset: Dataset, params: Params, architectures: Sequence[str], backends: tuple[BackendName, BackendName]
) -> list[Result]:
    """Examine each architecture, with both frameworks at work at the same time, each in a process of its own.

    Raises:
        TandemError: a process refuses the device, or has ended.
    """
    threads = max(1, threads_for(params.train.threads) // len(backends))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-parity-")))
        sides = [Side(backend, params.train.device, threads) for backend in backends]
        processes = {side: stack.enter_context(IsolatedProcess(f"parity: the {side.backend}")) for side in sides}
        results = []
        for number, architecture in enumerate(architectures, 1):
            recipe = protocol.base_recipe(params, architecture)
            results.append(Examiner(processes, dataset, recipe, folder / "steps").examine(protocol.OPTIMISERS))
            outcome = results[-1].problems[0] if results[-1].problems else "the same"
            say(f"parity {number}/{len(architectures)}: {architecture}: {outcome}")
        return results


class Examiner:
    """Examines the architecture of a recipe, the first of its styles.

    `folder`, which it creates and deletes, is for the files of the trainings.
    """

    def __init__(self, processes: Processes, dataset: Dataset, recipe: Recipe, folder: Path) -> None:
        self.processes, self.dataset, self.recipe, self.folder = processes, dataset, recipe, folder
        self.result = Result(recipe.architecture, twins()[recipe.architecture])
        self.problems = self.result.problems
        self.protocol = protocol.FULL

    def examine(self, optimisers: Sequence[Optimiser]) -> Result:
        """Return the result; where the structure differs, nothing else is examined."""
        try:
            self._structure()
            if not self.problems:
                start = self._start()
                for optimiser in optimisers:
                    self._train(optimiser, start)
                if takes_dropout(self.recipe.architecture):
                    self._dropout()
                    self._dropout_in_training()
        except JobFailed as error:
            self.problems.append(str(error))
        return self.result

    def _job(
        self, precision: Precision, optimiser: Optimiser = "sgd", *, dropout: float = 0.0, style: str | None = None
    ) -> Job:
        changes = {
            **self.protocol.settings(optimiser),
            "architecture": style or self.recipe.architecture,
            "dropout": dropout if takes_dropout(style or self.recipe.architecture) else None,
            "batch_size": self.protocol.batch_size,
            "drop_last": False,
            "epochs": self.protocol.epochs,
        }
        recipe, split = self.recipe.model_copy(update=changes), self.dataset.split("train")
        images, labels = (np.array(array[: self.protocol.images]) for array in (split.images, split.labels))
        training = TrainingSettings(recipe, protocol.SEED, log_every_steps=1)
        return Job(model_settings(recipe, self.dataset, precision), training, images, labels)

    def _steps(self, job: Job) -> dict[str, Steps]:
        self.folder.mkdir(exist_ok=True)
        names = [parameter.name for parameter in self.parameters]
        return run_on_all(self.processes, job.model.architecture, jobs.steps, job, self.folder, names)

    def _structure(self) -> None:
        sides = run_on_all(self.processes, self.recipe.architecture, jobs.describe, self._job("float64").model)
        first = next(iter(sides.values()))
        self.parameters = first.parameters
        self.result.layers = len(first.layers)
        self.result.parameters = sum(math.prod(one.shape) for one in self.parameters if one.trainable)
        if self.result.parameters > protocol.MOST_PARAMETERS:
            self.protocol = protocol.SHORT
        if problem := check.check_structure(sides):
            self.problems.append(problem)

    def _start(self) -> dict[Precision, list[Quantity]]:
        starts = self._starts(0)
        if problem := check.check_weights(starts, self.parameters, self.recipe):
            self.problems.append(problem)
        quantities = check.start_quantities(starts)
        self.vanishing = vanishing_gradients(starts, quantities["float64"])
        # A ReLU that rounding flips is an accident of a batch; less precision than float32 isn't.
        for batch in range(1, protocol.BATCHES):
            if check.first_beyond(quantities["float32"]) is None:
                break
            others = check.start_quantities(self._starts(batch))["float32"]
            pairs = zip(quantities["float32"], others, strict=True)
            quantities["float32"] = [min(pair, key=lambda quantity: quantity.ratio) for pair in pairs]
        return quantities

    def _starts(self, batch: int) -> dict[Key, Start]:
        architecture, variants = self.recipe.architecture, [self._job(precision) for precision in PRECISIONS]
        return _by_key([run_on_all(self.processes, architecture, jobs.start, job, batch) for job in variants])

    def _train(self, optimiser: Optimiser, start: Mapping[Precision, list[Quantity]]) -> None:
        trainings = _by_key([self._steps(self._job(precision, optimiser)) for precision in PRECISIONS])
        steps = check.step_quantities(trainings, self.parameters)
        if optimiser == "adam":
            state = {parameter.name for parameter in self.parameters if not parameter.trainable}
            lr = self.protocol.settings(optimiser)["lr"]
            steps["float64"] = adam_moves(steps["float64"], self.vanishing, state, lr)
        for precision in PRECISIONS:
            training = Training(optimiser, precision, start[precision], steps[precision])
            self.result.trainings.append(training)
            if beyond := check.first_beyond(training.quantities):
                apart = f"{beyond.difference:.1e} apart, where {beyond.bound:.1e} is rounding"
                self.problems.append(f"{optimiser}, {precision}: {beyond.where}: {apart}")
        # Within each framework, a style of the architecture gives the bits of the first style.
        for style in self.result.styles:
            for backend, others in self._steps(self._job("float32", optimiser, style=style)).items():
                if others.file.read_bytes() != trainings[backend, "float32"].file.read_bytes():
                    first = self.result.architecture
                    self.problems.append(f"{style}, {optimiser}: not the bits of {first} in {backend}")
        shutil.rmtree(self.folder)

    def _dropout(self) -> None:
        job = self._job("float32", dropout=protocol.DROPOUT_RATE)
        for backend, layers in run_on_all(self.processes, self.recipe.architecture, jobs.dropout, job).items():
            for path, passes in layers.items():
                checked = check_dropout(f"{backend}: {path}", rate=protocol.DROPOUT_RATE, passes=passes)
                self.result.dropout.append(checked)
                if checked.problem:
                    self.problems.append(f"dropout layer {checked.layer} {checked.problem}")

    def _dropout_in_training(self) -> None:
        """Check that dropout is on in the training function itself: it changes the first loss."""
        on, off = (self._steps(self._job("float32", dropout=rate)) for rate in (protocol.DROPOUT_RATE, 0.0))
        for backend in on:
            first, plain = on[backend].losses[0], off[backend].losses[0]
            if abs(first - plain) < protocol.DROPOUT_CHANGES * plain:
                losses = f"the first loss with dropout is {first:.6f}, without {plain:.6f}"
                self.problems.append(f"dropout in training: {backend}: {losses}")


def _by_key(results: Sequence[Mapping[str, R]]) -> dict[Key, R]:
    pairs = zip(PRECISIONS, results, strict=True)
    return {(backend, precision): result for precision, sides in pairs for backend, result in sides.items()}
