"""Examines architectures: are the twins the same model, trained in the same way?"""

import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.contract.backend import TrainingSettings
from experiments.contract.model_settings import Precision, model_settings
from experiments.contract.weights import draw_weights
from experiments.data.dataset import Dataset
from experiments.frameworks import takes_dropout, twins
from experiments.parity import check, jobs, protocol
from experiments.parity.amplification import CALIBRATION, perturbation
from experiments.parity.bounds import Key
from experiments.parity.check import Quantity
from experiments.parity.dropout import check_dropout
from experiments.parity.jobs import Job, Start, Steps
from experiments.parity.protocol import PRECISIONS, Protocol
from experiments.parity.results import Result, Training
from experiments.parity.sides import Processes, run_on_all
from experiments.parity.starts import best_quantities, by_key, run_starts
from experiments.parity.vanishing import adam_moves, vanishing_gradients
from experiments.settings.recipe import OptimiserName, Recipe
from experiments.system.isolated import JobFailed


class Examiner:
    """Examines the architecture of a recipe, the first of its styles.

    `folder`, which it creates and deletes, is for the files of the trainings; `length` is how long they are.
    """

    def __init__(
        self, processes: Processes, dataset: Dataset, recipe: Recipe, folder: Path, length: Protocol = protocol.FULL
    ) -> None:
        self.processes, self.dataset, self.recipe, self.folder = processes, dataset, recipe, folder
        self.result = Result(recipe.architecture, twins().get(recipe.architecture, []))
        self.problems = self.result.problems
        self.protocol = length

    def examine(self, optimisers: Sequence[OptimiserName]) -> Result:
        """Return the result, after `structure`; where that differs, nothing else is examined.

        Without optimisers, nothing is trained, and the first batch alone is compared.
        """
        try:
            if not self.problems:
                start = self._start()
                if not optimisers:
                    self._judge("first batch", start.items())
                for optimiser in optimisers:
                    self._train(optimiser, start)
                if takes_dropout(self.recipe.architecture):
                    self._dropout()
                    self._dropout_in_training()
        except JobFailed as error:
            self.problems.append(str(error))
        return self.result

    def _job(
        self,
        precision: Precision,
        optimiser: OptimiserName = "sgd",
        *,
        dropout: float = 0.0,
        style: str | None = None,
        images: int | None = None,
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
        chosen = slice(images or self.protocol.images)
        pixels, labels = np.array(split.images[chosen]), np.array(split.labels[chosen])
        training = TrainingSettings(recipe, protocol.SEED, log_every_steps=1)
        return Job(model_settings(recipe, self.dataset, precision), training, pixels, labels)

    def _steps(self, job: Job, *, perturbation: float = 0.0) -> dict[str, Steps]:
        self.folder.mkdir(exist_ok=True)
        names = [parameter.name for parameter in self.parameters]
        return run_on_all(self.processes, job.model.architecture, jobs.steps, job, self.folder, names, perturbation)

    def structure(self) -> None:
        """Compare layers and parameters.

        Raises:
            TandemError: a framework can't build the architecture, or a style of it.
        """
        names = (self.recipe.architecture, *self.result.styles)
        settings = (self._job("float64", style=name).model for name in names)
        try:
            sides, *_ = [run_on_all(self.processes, each.architecture, jobs.describe, each) for each in settings]
        except JobFailed as error:  # not for a fault of the architecture
            self.problems.append(str(error))
            return
        first = next(iter(sides.values()))
        self.parameters, self.result.layers = first.parameters, len(first.layers)
        self.kinds = {layer.path: layer.kind for layer in first.layers}
        self.result.parameters = sum(math.prod(one.shape) for one in self.parameters if one.trainable)
        if self.result.parameters > protocol.MOST_PARAMETERS:
            self.protocol = protocol.LARGE
        if problem := check.check_structure(sides):
            self.problems.append(problem)

    def _start(self) -> dict[Precision, list[Quantity]]:
        starts = self._starts(0)
        drawn = draw_weights(self.parameters, self.recipe, seed=protocol.SEED)
        if problem := check.check_weights(starts, drawn, "initial weights"):
            self.problems.append(problem)
        self.starts, quantities = starts, best_quantities(starts, self._starts)
        self.vanishing = vanishing_gradients(starts, quantities["float64"])
        return quantities

    def _starts(self, batch: int) -> dict[Key, Start]:
        enough = protocol.BATCHES * self.protocol.batch_size
        return run_starts(self.processes, lambda precision: self._job(precision, images=enough), batch)

    def _train(self, optimiser: OptimiserName, start: Mapping[Precision, list[Quantity]]) -> None:
        trainings = by_key([self._steps(self._job(precision, optimiser)) for precision in PRECISIONS])
        steps = self._compared(optimiser, trainings)
        if any(check.first_beyond(row) for row in steps["float64"]):
            perturbed = self._steps(self._job("float64", optimiser), perturbation=self._perturbation(start["float64"]))
            steps = self._compared(optimiser, trainings, perturbed)
        for precision in PRECISIONS:
            self.result.trainings.append(Training(optimiser, precision, start[precision], steps[precision]))
        self._judge(optimiser, ((one.precision, one.quantities) for one in self.result.trainings[-len(PRECISIONS) :]))
        # Within each framework, a style of the architecture gives the bits of the first style.
        for style in self.result.styles:
            for backend, others in self._steps(self._job("float32", optimiser, style=style)).items():
                if others.file.read_bytes() != trainings[backend, "float32"].file.read_bytes():
                    first = self.result.architecture
                    self.problems.append(f"{style}, {optimiser}: not the bits of {first} in {backend}")
        shutil.rmtree(self.folder)

    def _perturbation(self, quantities: Sequence[Quantity]) -> float:
        job = self._job("float64")
        moved = run_on_all(self.processes, job.model.architecture, jobs.start, job, 0, CALIBRATION)
        return perturbation(self.starts, moved, quantities)

    def _compared(
        self, optimiser: OptimiserName, trainings: Mapping[Key, Steps], perturbed: Mapping[str, Steps] | None = None
    ) -> dict[Precision, list[list[Quantity]]]:
        steps = check.step_quantities(trainings, self.parameters, perturbed)
        if optimiser != "sgd":
            state = {parameter.name for parameter in self.parameters if not parameter.trainable}
            lr = self.protocol.settings(optimiser)["lr"]
            steps["float64"] = adam_moves(steps["float64"], self.vanishing, state, lr)
        return steps

    def _judge(self, what: str, quantities: Iterable[tuple[str, Sequence[Quantity]]]) -> None:
        for precision, computed in quantities:
            if beyond := check.first_beyond(computed):
                self.problems.append(f"{what}, {precision}: {beyond.apart}")

    def _dropout(self) -> None:
        job = self._job("float32", dropout=protocol.DROPOUT_RATE)
        for backend, layers in run_on_all(self.processes, self.recipe.architecture, jobs.dropout, job).items():
            for path, passes in layers.items():
                named, kind = f"{backend}: {path}", self.kinds[path]
                checked = check_dropout(named, rate=protocol.DROPOUT_RATE, passes=passes, kind=kind)
                self.result.dropout.append(checked)
                if checked.problem:
                    self.problems.append(f"dropout layer {checked.layer} {checked.problem}")

    def _dropout_in_training(self) -> None:
        """Check that dropout is on in the training function itself: it changes the first loss."""
        rates, one = (protocol.DROPOUT_RATE, 0.0), self.protocol.batch_size
        on, off = (self._steps(self._job("float32", dropout=rate, images=one)) for rate in rates)
        for backend in on:
            first, plain = on[backend].losses[0], off[backend].losses[0]
            if abs(first - plain) < protocol.DROPOUT_CHANGES * plain:
                losses = f"the first loss with dropout is {first:.6f}, without {plain:.6f}"
                self.problems.append(f"dropout in training: {backend}: {losses}")
