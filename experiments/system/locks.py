"""Locks that keep two processes from doing the same work at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from experiments.system.errors import TandemError

# An orphan of a killed `dvc repro` notices within a second and closes its run; give it time.
LOCK_SECONDS = 30


@contextmanager
def exclusive(folder: Path, what: str) -> Iterator[None]:
    """Keep a second process from doing the same (a training, a sweep) at the same time.

    Raises:
        TandemError: another process does so.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise TandemError(f"{what}: another process is at work on this; wait for it, or stop it, and repeat") from None
