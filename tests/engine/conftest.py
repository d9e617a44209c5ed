"""Engines that are closed after the test, and what tests wait for."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments.engine.dask import DaskEngine
from experiments.engine.engine import Ended, Engine, Slot
from experiments.engine.places import LocalPlaces

SECONDS = 30.0


class Heard:
    """An engine with what it has said so far."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ended: list[Ended] = []
        self.reports: list[tuple[str, Any]] = []
        engine.start(self.answer)

    def answer(self, key: str, message: Any) -> Any:
        self.reports.append((key, message))
        return ("answer", message)

    def until(self, holds: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """Return what `holds` returns, once that is something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.ended += self.engine.events(0.02)
            if found := holds():
                return found
        raise AssertionError(f"waited {seconds} s: {self.engine.slots()}, {self.ended}, {self.reports}")

    def slots(self, count: int, seconds: float = SECONDS) -> Sequence[Slot]:
        """Return the slots, in order of name, once there are so many."""
        found: Sequence[Slot] = self.until(lambda: len(self.engine.slots()) >= count and self.engine.slots(), seconds)
        return sorted(found, key=lambda slot: slot.name)

    def end(self, key: str, seconds: float = SECONDS) -> Ended:
        """Return how a task ended."""
        self.until(lambda: any(end.key == key for end in self.ended), seconds)
        (ended,) = [end for end in self.ended if end.key == key]
        return ended

    def first_report(self, key: str, seconds: float = SECONDS) -> Any:
        """Return the first message of a task."""
        self.until(lambda: any(of == key for of, _ in self.reports), seconds)
        return next(message for of, message in self.reports if of == key)


@pytest.fixture
def opened() -> Iterator[Callable[[Engine], Heard]]:
    """Start an engine, which is closed after the test."""
    engines: list[Engine] = []

    def start(engine: Engine) -> Heard:
        engines.append(engine)
        return Heard(engine)

    yield start
    for engine in engines:
        engine.close()


@pytest.fixture
def local(opened: Callable[[Engine], Heard], tmp_path: Path) -> Callable[..., Heard]:
    """Start workers on this machine."""

    def start(workers: int = 1, gpus: Sequence[str] = (), threads: int = 1) -> Heard:
        return opened(DaskEngine(LocalPlaces(workers, list(gpus), threads, tmp_path), tmp_path))

    return start


def gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        return str(psutil.Process(pid).status()) == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_gone(pid: int, seconds: float = 5.0) -> None:
    """Wait for the end of a process."""
    deadline = time.monotonic() + seconds
    while not gone(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there after {seconds} s"
        time.sleep(0.02)
