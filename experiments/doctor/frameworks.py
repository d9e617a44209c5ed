"""Whether each framework can be imported, and which device it takes: each in a process of its own, both at once."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from experiments.contract.backend import Device
from experiments.frameworks import PACKAGES, load_backend
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess

# An import takes 5 s, on a busy machine or a network file system a minute; a driver that hangs takes for ever.
MOST_SECONDS = 120
CPU = "cpu"


@dataclass(frozen=True)
class Framework:
    """A framework that could be imported, within so many seconds; the device that a training would take."""

    device: str
    versions: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What a framework answers, sooner or later."""

    process: IsolatedProcess
    future: Future[Framework]

    def get(self) -> Framework:
        """Wait for it.

        Raises:
            TandemError, JobFailed: it can't be imported, refuses the device, or doesn't answer.
        """
        if wait_for([self.future], MOST_SECONDS).not_done:
            raise TandemError(f"expected an answer within {MOST_SECONDS} s; got none", advice="import it by hand")
        return self.process.wait(self.future)


@contextmanager
def ask(device: Device) -> Iterator[dict[BackendName, Answer]]:
    """Ask both frameworks, which answer while the block does something else."""
    with ExitStack() as stack:
        answers = {}
        for backend in PACKAGES:
            process = stack.enter_context(IsolatedProcess(f"{backend}: its"))
            answers[backend] = Answer(process, process.submit(_look, backend, device))
        yield answers


def _look(backend: BackendName, device: Device) -> Framework:
    started = time.perf_counter()
    loaded = load_backend(backend, device=device, threads=1)
    return Framework(loaded.device, loaded.versions(), time.perf_counter() - started)
