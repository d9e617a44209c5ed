"""Stores that are away for a while: a database that restarts, a server behind a network that fails."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from experiments.system.console import warn
from experiments.system.urls import one_line
from experiments.tracking.store import StoreError

T = TypeVar("T")
AWAY: tuple[type[Exception], ...] = (DBAPIError, StoreError)
# About five minutes in all.
FIRST_SECONDS, LONGEST_SECONDS, TIMES = 0.5, 30, 15


def pauses() -> Iterator[float]:
    """Yield the seconds to wait after each failure."""
    yield from (min(FIRST_SECONDS * 2**number, LONGEST_SECONDS) for number in range(TIMES))


def patiently(action: Callable[[], T], away: tuple[type[Exception], ...] = AWAY) -> T:
    """Return what an action returns, which may be repeated; repeat it, for minutes, while a store is away.

    Raises:
        what the action raises in the end.
    """
    for number, pause in enumerate(pauses()):
        try:
            return action()
        except away as error:
            if number == 1:  # the first repeat is quick
                warn(f"a store is away ({type(error).__name__}: {one_line(error, 120)}); trying again for some minutes")
            time.sleep(pause)
    return action()
