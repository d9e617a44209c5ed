"""Which process does something, and whether it is still there: marks that outlive it."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import psutil


@dataclass(frozen=True)
class Mark:
    """What tells a process from every other. A number is given to a new process in time: `started` tells them apart.

    `started` is in seconds since 1970, as the system counts them.
    """

    host: str
    pid: int
    started: float

    @classmethod
    def own(cls) -> Self:
        """Return that of this process."""
        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, round(process.create_time(), 2))

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
            return bool(abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
