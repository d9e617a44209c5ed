"""The memory of this process, in 10⁶ bytes."""

import resource
import sys
from pathlib import Path

import psutil


def memory_mb() -> float:
    """Return what the process holds now (resident)."""
    return float(psutil.Process().memory_info().rss) / 1e6


def peak_memory_mb() -> float:
    """Return the most that the process has held at any time (resident)."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # in bytes on macOS
    # Not ru_maxrss: on Linux it begins with the peak of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
