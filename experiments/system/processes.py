"""Which process does something, and whether it still exists: an identity that outlives it."""

import os
import socket
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import psutil

Liveness = Literal["alive", "gone", "unknown"]
# What numeric libraries take the number of their threads from, when they are loaded.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


@cache
def _kernel() -> tuple[str, str]:
    """Return the boot and the PID namespace; where Linux hides them, a boot that no other process shares."""
    if sys.platform != "linux":  # no namespaces; a clock that is set moves the boot time, which makes others unknown
        return f"{socket.gethostname()} {psutil.boot_time():.0f}", ""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return str(uuid.uuid4()), ""


def _stat(pid: int) -> tuple[str, str]:
    """Return the state and the start of a process.

    Raises:
        OSError, psutil.Error: it doesn't exist, or may not be looked at.
    """
    if sys.platform != "linux":
        process = psutil.Process(pid)
        return "Z" if process.status() == psutil.STATUS_ZOMBIE else "", f"{process.create_time():.2f}"
    # The name, in parentheses, may hold anything; fields 3 (state) and 22 (start) of proc(5) come after it.
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], fields[19]


def _pid_exists(pid: int) -> bool:
    # Not psutil's: it looks in /proc, which may hide the processes of other users.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@cache
def _own(pid: int) -> tuple[str, str, int, str]:
    try:
        return *_kernel(), pid, _stat(pid)[1]
    except OSError:
        return *_kernel(), pid, ""


@dataclass(frozen=True)
class ProcessId:
    """What tells a process from every other one, on any machine, whatever clocks and host names do.

    `started` is in the kernel's ticks since the boot (elsewhere than on Linux, in seconds since 1970): a pid is given
    to a new process in time.
    """

    boot_id: str
    pid_namespace: str
    pid: int
    started: str

    @classmethod
    def own(cls) -> Self:
        """Return that of this process, the same every time."""
        return cls(*_own(os.getpid()))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return an identity that was written down; one that lacks something is that of an unknown process."""
        boot_id, namespace, started = (str(values.get(name, "")) for name in ("boot_id", "pid_namespace", "started"))
        return cls(boot_id, namespace, int(values.get("pid", 0)), started)

    def liveness(self) -> Liveness:
        """Return whether the process exists; `unknown` after a reboot and for one of another machine or container."""
        if (self.boot_id, self.pid_namespace) != _kernel():
            return "unknown"
        try:
            state, started = _stat(self.pid)
        except (OSError, psutil.Error):
            return "unknown" if _pid_exists(self.pid) else "gone"
        return "alive" if started == self.started and state not in ("Z", "X") else "gone"


def age() -> float:
    """Return how many seconds ago this process was started; Linux counts hundredths."""
    if sys.platform != "linux":
        return time.time() - float(psutil.Process().create_time())
    # psutil adds the time of the boot, which Linux gives in whole seconds.
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(_stat(os.getpid())[1]) / os.sysconf("SC_CLK_TCK")


def threads_for(setting: int | Literal["auto"]) -> int:
    """Return the number of threads that a setting stands for; `auto`: the cores that this process may use."""
    if setting != "auto":
        return setting
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
