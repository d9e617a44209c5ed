"""The machine: processors, memory, disks."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import joblib
import psutil

from experiments.doctor.surroundings import Surroundings
from experiments.system.checks import Check
from experiments.system.filesystem import check_disk
from experiments.system.processes import THREAD_VARIABLES, threads_for

# docs/results.md has what a training takes; the rest is for Python, MLflow and the system.
LEAST_MEMORY = 2 * 10**9
CGROUPS = Path("/sys/fs/cgroup")


def cores(here: Surroundings) -> Iterator[Check]:
    """Look whether a training starts as many threads as there are cores for it, a container's limit included."""
    machine, usable = os.cpu_count() or 1, joblib.cpu_count()
    found = f"{machine} in this machine, {usable} for this process"
    if here.params is None:
        yield Check("cores", "ok", found)
        return
    setting = here.params.train.threads
    threads = threads_for(setting)
    yield Check.of(
        "cores",
        f"{found}; train.threads: {setting} starts {threads} thread(s)",
        good=threads <= usable,
        remedy=f"set train.threads to {usable}: more threads than cores take turns, which can be ten times as slow",
        otherwise="warning",
    )


def threads(here: Surroundings) -> Iterator[Check]:
    """Look whether the environment has libraries start more threads than there are cores."""
    usable = joblib.cpu_count()
    named = {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}
    wrong = [name for name, value in named.items() if not (value.isdigit() and 1 <= int(value) <= usable)]
    yield Check.of(
        "thread variables",
        ", ".join(f"{name}={value}" for name, value in named.items()) or "none is set",
        good=not wrong,
        remedy=f"unset {' '.join(wrong)}: expected 1 to {usable}, the cores for this process",
        otherwise="warning",
    )


def load(here: Surroundings) -> Iterator[Check]:
    """Look whether others work on this machine."""
    busy, machine = os.getloadavg()[0], os.cpu_count() or 1
    yield Check.of(
        "other work",
        f"{busy:.1f} processes on {machine} core(s), over the last minute",
        good=busy < machine / 2,
        remedy="times and throughput say little now; wait, or lower train.threads",
        otherwise="warning",
    )


def memory(here: Surroundings) -> Iterator[Check]:
    """Look whether a training has enough memory, within a container's limit."""
    known, limit = psutil.virtual_memory(), memory_limit()
    available = min(known.available, limit or known.available)
    allowed = f", of which this container may use {limit / 1e9:.1f} GB" if limit and limit < known.total else ""
    yield Check.of(
        "memory",
        f"{available / 1e9:.1f} GB free of {known.total / 1e9:.1f} GB{allowed}",
        good=available > LEAST_MEMORY,
        remedy="a training peaks at about 1.2 GB: close other programs, or have fewer workers",
        otherwise="warning",
    )


def memory_limit(root: Path = CGROUPS) -> int | None:
    """Return the bytes that a container's processes may use in all (control groups, version 2 or 1); None: no limit."""
    for file in (root / "memory.max", root / "memory" / "memory.limit_in_bytes"):
        text = file.read_text().strip() if file.is_file() else "max"
        if text.isdigit() and int(text) < 2**60:  # version 1 says "no limit" as a number near 2⁶³
            return int(text)
    return None


def disk(here: Surroundings) -> Iterator[Check]:
    """Look whether there is room for runs, and for temporary files."""
    for what, folder in (("project", here.project.home), ("temporary files", Path(tempfile.gettempdir()))):
        yield check_disk(f"disk, {what}", shutil.disk_usage(folder).free)
