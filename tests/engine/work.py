"""Tasks that tests send to workers."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from experiments.engine.engine import EngineClosed, Report
from experiments.system.errors import TandemError


def talk(report: Report, count: int) -> list[Any]:
    """Report some numbers, and return the answers."""
    return [report(number) for number in range(count)]


def fail(report: Report, known: bool) -> None:
    """Fail, with an exception that can't be pickled."""
    if known:
        raise TandemError("a: expected b; got c")

    class LocalError(Exception):
        pass

    raise LocalError("two\nlines")


def unpicklable(report: Report) -> Any:
    """Return what can't be sent."""
    return lambda: None


def environment(report: Report, names: list[str]) -> dict[str, str | None]:
    """Return variables of the worker's environment, and how many threads NumPy's BLAS has been given."""
    return {name: os.environ.get(name) for name in names}


def meet(report: Report, folder: Path, other: str, own: str) -> bool:
    """Wait for another task that runs at the same time."""
    (folder / own).touch()
    for _ in range(500):
        if (folder / other).exists():
            return True
        time.sleep(0.02)
    return False


def hold(report: Report, folder: Path, name: str = "held") -> str:
    """Say that it runs, wait for a file, and report: what a refused worker hears is written down."""
    report(os.getpid())
    while not (folder / name).exists():
        time.sleep(0.02)
    try:
        report("late")
    except EngineClosed:
        (folder / f"{name}-refused").touch()
        raise
    return "whole"


def with_child(report: Report) -> None:
    """Start a process that ignores polite signals, as a loader of data might, and train for ever."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
        os._exit(0)
    report([os.getpid(), child])
    time.sleep(600)


def talk_and_die(report: Report) -> str:
    """End the process right after the end of the task."""
    report("begun")
    threading.Timer(0.005, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return "whole"
