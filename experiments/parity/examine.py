"""Examines architectures: are the twins the same model, trained in the same way?"""

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from experiments.contract.backend import Precision
from experiments.data.dataset import Dataset, load_dataset
from experiments.frameworks import takes_dropout, twins
from experiments.parity import check, jobs, protocol
from experiments.parity.check import Key, Quantity
from experiments.parity.dropout import check_dropout
from experiments.parity.jobs import Side, SideProcess, Steps, run_on_all
from experiments.parity.protocol import PRECISIONS, Job, Optimiser, Variant, base_recipe, make_job
from experiments.parity.result import Result, Training
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.console import say
from experiments.system.isolated import JobFailed
from experiments.system.processes import threads_for

R = TypeVar("R")


def run_parity(
    project: Project, params: Params, architectures: Sequence[str], backends: tuple[BackendName, BackendName]
) -> list[Result]:
    """Examine each architecture, with both frameworks at work at the same time, each in a process of its own.

    Raises:
        TandemError: there is no prepared dataset, a process refuses the device, or has ended.
    """
    dataset = load_dataset(project.prepared)
    threads = max(1, threads_for(params.train.threads) // len(backends))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-parity-")))
        sides = [Side(backend, params.train.device, threads) for backend in backends]
        processes = [stack.enter_context(SideProcess(side)) for side in sides]
        results = []
        for number, architecture in enumerate(architectures, 1):
            examiner = Examiner(processes, dataset, base_recipe(params, architecture), folder / "steps")
            results.append(examiner.examine(protocol.OPTIMISERS))
            outcome = results[-1].problems[0] if results[-1].problems else "the same"
            say(f"parity {number}/{len(architectures)}: {architecture}: {outcome}")
        return results


class Examiner:
    """Examines one architecture; `folder`, which it creates and deletes, is for the files of the trainings."""

    def __init__(self, processes: Sequence[SideProcess], dataset: Dataset, recipe: Recipe, folder: Path) -> None:
        self.processes, self.dataset, self.recipe, self.folder = processes, dataset, recipe, folder
        first = next(name for name, others in twins().items() if recipe.architecture in (name, *others))
        self.result = Result(first, twins()[first])

    def examine(self, optimisers: Sequence[Optimiser]) -> Result:
        """Return the result; where the structure differs, nothing else is examined."""
        try:
            self._structure()
            if not self.result.problems:
                start = self._start()
                for optimiser in optimisers:
                    self._train(optimiser, start)
                if takes_dropout(self.recipe.architecture):
                    self._dropout()
                    self._dropout_in_training()
        except JobFailed as error:
            self.result.problems.append(str(error))
        return self.result

    def _job(self, variant: Variant, style: str | None = None) -> Job:
        recipe = self.recipe.model_copy(update={"architecture": style or self.result.architecture})
        return make_job(recipe, self.dataset, variant)

    def _steps(self, variant: Variant, style: str | None = None) -> dict[str, Steps]:
        self.folder.mkdir(exist_ok=True)
        job = self._job(variant, style)
        return run_on_all(self.processes, job.model.architecture, jobs.steps, job, self.folder)

    def _structure(self) -> None:
        model = self._job(Variant()).model
        sides = run_on_all(self.processes, model.architecture, jobs.describe, model)
        first = next(iter(sides.values()))
        self.parameters = first.parameters
        self.result.layers = len(first.layers)
        self.result.parameters = sum(math.prod(parameter.shape) for parameter in self.parameters)
        if problem := check.check_structure(sides):
            self.result.problems.append(problem)

    def _start(self) -> dict[Precision, list[Quantity]]:
        variants = [self._job(Variant(precision)) for precision in PRECISIONS]
        starts = _by_key([run_on_all(self.processes, self.result.architecture, jobs.start, job) for job in variants])
        if problem := check.check_weights(starts, self.parameters, self.recipe):
            self.result.problems.append(problem)
        return check.start_quantities(starts)

    def _train(self, optimiser: Optimiser, start: Mapping[Precision, list[Quantity]]) -> None:
        trainings = _by_key([self._steps(Variant(precision, optimiser)) for precision in PRECISIONS])
        steps = check.step_quantities(trainings, self.parameters)
        for precision in PRECISIONS:
            training = Training(optimiser, precision, start[precision], steps[precision])
            self.result.trainings.append(training)
            if beyond := check.first_beyond(training.quantities):
                apart = f"{beyond.difference:.1e} apart, where {beyond.bound:.1e} is rounding"
                self.result.problems.append(f"{optimiser}, {precision}: {beyond.where}: {apart}")
        for style in self.result.styles:
            self._compare_style(style, optimiser, trainings)
        shutil.rmtree(self.folder)

    def _compare_style(self, style: str, optimiser: Optimiser, trainings: Mapping[Key, Steps]) -> None:
        """Compare a style of the architecture with the first style, within each framework: the same bits."""
        for backend, steps in self._steps(Variant("float32", optimiser), style).items():
            if steps.file.read_bytes() != trainings[backend, "float32"].file.read_bytes():
                first = self.result.architecture
                self.result.problems.append(f"{style}, {optimiser}: not the bits of {first} in {backend}")

    def _dropout(self) -> None:
        job = self._job(Variant("float32", dropout=protocol.DROPOUT_RATE))
        for backend, layers in run_on_all(self.processes, self.result.architecture, jobs.dropout, job).items():
            for path, passes in layers.items():
                checked = check_dropout(f"{backend}: {path}", rate=protocol.DROPOUT_RATE, passes=passes)
                self.result.dropout.append(checked)
                if checked.problem:
                    self.result.problems.append(f"dropout layer {checked.layer} {checked.problem}")

    def _dropout_in_training(self) -> None:
        """Check that dropout is on in the training function itself: it changes the first loss."""
        on, off = (self._steps(Variant("float32", dropout=rate)) for rate in (protocol.DROPOUT_RATE, 0.0))
        for backend in on:
            first, plain = on[backend].losses[0], off[backend].losses[0]
            if abs(first - plain) < protocol.DROPOUT_CHANGES * plain:
                self.result.problems.append(
                    f"dropout in training: {backend}: the first loss with dropout is {first:.6f}, without {plain:.6f}"
                )


def _by_key(results: Sequence[Mapping[str, R]]) -> dict[Key, R]:
    pairs = zip(PRECISIONS, results, strict=True)
    return {(backend, precision): result for precision, sides in pairs for backend, result in sides.items()}
