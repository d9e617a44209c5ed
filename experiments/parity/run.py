"""The proof for several architectures, one after another."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from experiments.data.dataset import Dataset
from experiments.parity import protocol
from experiments.parity.examine import Examiner
from experiments.parity.protocol import Protocol
from experiments.parity.results import Result
from experiments.parity.sides import Processes, Side
from experiments.settings.params import Params
from experiments.settings.recipe import BackendName
from experiments.system.console import say
from experiments.system.isolated import IsolatedProcess
from experiments.system.processes import threads_for


def run_parity(
    dataset: Dataset,
    params: Params,
    architectures: Sequence[str],
    backends: tuple[BackendName, BackendName],
    length: Protocol = protocol.FULL,
) -> list[Result]:
    """Examine each architecture, with both frameworks at work at the same time, each in a process of its own.

    `length` is how long their trainings are.

    Raises:
        TandemError: an architecture can't be built, a process refuses the device, or has ended.
    """
    with pair_of_processes(params, backends) as (processes, folder):
        recipes = [protocol.base_recipe(params, architecture) for architecture in architectures]
        examiners = [Examiner(processes, dataset, recipe, folder / "steps", length) for recipe in recipes]
        for examiner in examiners:  # all of them first: one that can't be built is refused before any work
            examiner.structure()
        for number, examiner in enumerate(examiners, 1):
            result = examiner.examine(protocol.OPTIMISERS)
            outcome = next(iter(result.problems), "the same")
            say(f"parity {number}/{len(architectures)}: {result.architecture}: {outcome}")
        return [examiner.result for examiner in examiners]


@contextmanager
def pair_of_processes(params: Params, backends: tuple[BackendName, BackendName]) -> Iterator[tuple[Processes, Path]]:
    """Yield a process for each framework, and a folder for their files."""
    threads = max(1, threads_for(params.train.threads) // len(backends))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-parity-")))
        sides = [Side(backend, params.train.device, threads) for backend in backends]
        yield {side: stack.enter_context(IsolatedProcess(f"parity: the {side.backend}")) for side in sides}, folder
