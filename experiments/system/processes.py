"""Which process does something, and whether it is still there: marks that outlive it."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self

import psutil

# The start of a process moves with the system's clock when that is set right.
CLOCK_SECONDS = 10


@cache
def _own(pid: int) -> tuple[str, int, float]:
    return socket.gethostname(), pid, round(psutil.Process(pid).create_time(), 2)


@dataclass(frozen=True)
class ProcessId:
    """What tells a process from every other. A number is given to a new process in time: `started` tells them apart.

    `started` is in seconds since 1970, as the system counts them.
    """

    host: str
    pid: int
    started: float

    @classmethod
    def own(cls) -> Self:
        """Return that of this process, the same every time."""
        return cls(*_own(os.getpid()))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return a mark that was written down, as numbers or as texts.

        Raises:
            KeyError: it lacks something.
        """
        return cls(str(values["host"]), int(values["pid"]), float(values["started"]))

    @property
    def is_local(self) -> bool:
        """Whether the process is one of this machine."""
        return self.host == socket.gethostname()

    def is_alive(self) -> bool:
        """Return whether the process, one of this machine, is there."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_SECONDS
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def threads_for(setting: int | Literal["auto"]) -> int:
    """Return the number of threads that a setting stands for; `auto`: the cores that this process may use."""
    if setting != "auto":
        return setting
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
