"""The two frameworks, each in a process of its own, and jobs that run in both at the same time."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import TypeVar, TypeVarTuple

from experiments.contract.backend import Backend, Device
from experiments.contract.layers import Inspection
from experiments.contract.model import Model
from experiments.frameworks import PACKAGES, load_backend, load_inspection
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess, JobFailed

Ts = TypeVarTuple("Ts")
R = TypeVar("R")


@dataclass(frozen=True)
class Side:
    """One of the two frameworks, and how to set it up."""

    backend: BackendName
    device: Device = "cpu"
    threads: int = 1


Processes = Mapping[Side, IsolatedProcess]


def run_on_all(processes: Processes, what: str, job: Callable[[Side, *Ts], R], *args: *Ts) -> dict[str, R]:
    """Run a job in all processes at the same time, and return the results by backend.

    Raises:
        JobFailed: it failed; the message says in which backend and why, and calls the job `what`.
        TandemError: a process refused the device, or has ended.
    """
    futures = {side: process.submit(job, side, *args) for side, process in processes.items()}
    results: dict[str, R] = {}
    failures = []
    for side, future in futures.items():
        try:
            results[side.backend] = processes[side].wait(future)
        except JobFailed as error:
            failures.append(f"{side.backend} can't run {what}: {error}")
    if failures:
        raise JobFailed("; ".join(failures))
    return results


def run_once(command: str, what: str, job: Callable[[Side, *Ts], R], *args: *Ts) -> dict[str, R]:
    """Run a job in both frameworks, each in a new process on the CPU, and return the results by backend.

    Raises:
        TandemError: it failed, or a process has ended.
    """
    with ExitStack() as stack:
        processes = {Side(name): stack.enter_context(IsolatedProcess(f"{command}: the {name}")) for name in PACKAGES}
        try:
            return run_on_all(processes, what, job, *args)
        except JobFailed as error:
            raise TandemError(f"{command}: {error}") from None


@cache
def load_side(side: Side) -> tuple[Backend[Model], Inspection[Model]]:
    """Set up a framework, once in its process, and return it with its inspection."""
    return load_backend(side.backend, device=side.device, threads=side.threads), load_inspection(side.backend)
