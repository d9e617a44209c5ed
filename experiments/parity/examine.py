"""Examines architectures: are the twins the same model, trained in the same way?"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from experiments.data.dataset import Dataset, load_dataset
from experiments.frameworks import takes_dropout, twins
from experiments.parity.check import (
    check_structure,
    check_weights,
    first_beyond,
    read_description,
    start_quantities,
    step_quantities,
)
from experiments.parity.dropout import check_dropout
from experiments.parity.protocol import (
    DROPOUT_CHANGES,
    DROPOUT_RATE,
    IMAGES,
    OPTIMISERS,
    PRECISIONS,
    Kind,
    Optimiser,
    base_recipe,
    make_job,
)
from experiments.parity.result import Result, Training
from experiments.parity.workers import JobFailed, Worker
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.console import say
from experiments.system.processes import threads_for


def run_parity(
    project: Project,
    params: Params,
    architectures: Sequence[str],
    backends: tuple[BackendName, BackendName],
    *,
    optimisers: Sequence[Optimiser] = OPTIMISERS,
    commands: Mapping[str, Sequence[str]] | None = None,
) -> list[Result]:
    """Check each architecture in two processes, and return what was found.

    `commands` replaces the command that starts a backend's process, for tests that plant a bug in one.

    Raises:
        TandemError: there is no prepared dataset, or a process can't do its work at all.
    """
    dataset = load_dataset(project.prepared)
    # Both work at the same time, each on its share of the cores.
    threads = max(1, threads_for(params.train.threads) // 2)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-parity-")))
        workers = []
        for backend in backends:
            command = {"command": commands[backend]} if commands and backend in commands else {}
            worker = Worker(backend, device=params.train.device, threads=threads, **command)
            workers.append(stack.enter_context(worker))
        split = dataset.split("train")
        images = folder / "images.npz"
        np.savez(images, images=split.images[:IMAGES], labels=split.labels[:IMAGES])
        results = []
        for place, architecture in enumerate(architectures, 1):
            examiner = Examiner(workers, dataset, base_recipe(params, architecture), images, folder / "arrays")
            results.append(examiner.examine(optimisers))
            words = "the same" if not results[-1].problems else results[-1].problems[0]
            say(f"parity {place}/{len(architectures)}: {architecture}: {words}")
        return results


class Examiner:
    """Examines one architecture."""

    def __init__(self, workers: Sequence[Worker], dataset: Dataset, recipe: Recipe, images: Path, folder: Path) -> None:
        self.workers, self.dataset, self.recipe = workers, dataset, recipe
        self.images, self.folder = images, folder
        first = next(one for one, others in twins().items() if recipe.architecture in (one, *others))
        self.result = Result(first, twins()[first])

    def examine(self, optimisers: Sequence[Optimiser]) -> Result:
        """Return what there is to find; a difference in structure makes the rest pointless."""
        try:
            self._structure()
            if not self.result.problems:
                self._start_and_steps(optimisers)
                self._styles(optimisers)
                if takes_dropout(self.recipe.architecture):
                    self._dropout()
        except JobFailed as error:
            self.result.problems.append(str(error))
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.result

    def _do(self, kind: Kind, name: str, *, architecture: str | None = None, **settings: Any) -> dict[str, Path]:
        """Have every worker do a job at the same time, and return where each left its arrays."""
        recipe = self.recipe.model_copy(update={"architecture": architecture or self.result.architecture})
        folders = {worker.backend: self.folder / worker.backend / name for worker in self.workers}
        for worker in self.workers:
            folder = folders[worker.backend]
            worker.ask(make_job(kind, recipe, self.dataset, images=self.images, folder=folder, **settings))
        failures = []
        for worker in self.workers:
            try:
                worker.wait()
            except JobFailed as error:
                failures.append(f"{worker.backend} can't run {architecture or 'it'}: {error}")
        if failures:
            raise JobFailed("; ".join(failures))
        return folders

    def _structure(self) -> None:
        sides = {backend: read_description(folder) for backend, folder in self._do("describe", "describe").items()}
        self.parameters = next(iter(sides.values())).parameters
        self.result.layers = len(next(iter(sides.values())).layers)
        self.result.parameters = sum(int(np.prod(parameter.shape)) for parameter in self.parameters)
        if problem := check_structure(sides):
            self.result.problems.append(problem)

    def _start_and_steps(self, optimisers: Sequence[Optimiser]) -> None:
        started = {p: self._do("start", f"start-{p}", precision=p) for p in PRECISIONS}
        sides = {(backend, p): folder for p, folders in started.items() for backend, folder in folders.items()}
        if problem := check_weights(sides, self.parameters, self.recipe):
            self.result.problems.append(problem)
        start = start_quantities(sides)
        for optimiser in optimisers:
            name = f"steps-{optimiser}"
            trained = {p: self._do("steps", f"{name}-{p}", optimiser=optimiser, precision=p) for p in PRECISIONS}
            sides = {(backend, p): folder for p, folders in trained.items() for backend, folder in folders.items()}
            steps = step_quantities(sides, self.parameters)
            for precision in PRECISIONS:
                training = Training(optimiser, precision, start[precision], steps[precision])
                self.result.trainings.append(training)
                beyond = first_beyond(training.quantities)
                if beyond:
                    self.result.problems.append(
                        f"{optimiser}, {precision}: {beyond.where}: "
                        f"{beyond.difference:.1e} apart, where {beyond.bound:.1e} is rounding"
                    )
            if not self.result.styles:
                shutil.rmtree(self.folder, ignore_errors=True)

    def _styles(self, optimisers: Sequence[Optimiser]) -> None:
        """Hold other styles of an architecture against the first, within each framework: the same bits."""
        for style in self.result.styles:
            for optimiser in optimisers:
                settings: dict[str, Any] = {"optimiser": optimiser, "precision": "float32"}
                folders = self._do("steps", f"{style}-{optimiser}", architecture=style, **settings)
                for backend, folder in folders.items():
                    first = folder.parent / f"steps-{optimiser}-float32"
                    if (folder / "steps.bin").read_bytes() != (first / "steps.bin").read_bytes():
                        self.result.problems.append(f"{style}, {optimiser}: not the bits of {first.name} in {backend}")

    def _dropout(self) -> None:
        for backend, folder in self._do("dropout", "dropout", precision="float32", dropout=DROPOUT_RATE).items():
            for file in sorted((folder / "evaluation").glob("*.npz")):
                passes = []
                for name in ("evaluation", "step 1", "step 2"):
                    with np.load(folder / name / file.name) as arrays:
                        passes.append((arrays["before"], arrays["after"]))
                check = check_dropout(
                    f"{backend}: {file.stem.replace('.', '/')}",
                    rate=DROPOUT_RATE,
                    evaluation=passes[0],
                    steps=(passes[1], passes[2]),
                )
                self.result.dropout.append(check)
                if check.problem:
                    self.result.problems.append(f"dropout layer {check.layer} {check.problem}")
        self._dropout_in_training()

    def _dropout_in_training(self) -> None:
        """See to it that dropout is on in the training function itself: the first loss isn't that without dropout."""
        folders = [self._do("steps", f"dropout-{r}", precision="float32", dropout=r) for r in (DROPOUT_RATE, 0.0)]
        for backend in folders[0]:
            first, plain = (np.load(folder[backend] / "losses.npy")[0] for folder in folders)
            if abs(first - plain) < DROPOUT_CHANGES * plain:
                self.result.problems.append(
                    f"dropout in training: {backend}: the first loss with dropout is {first:.6f}, without {plain:.6f}"
                )
