"""Where the time of a training goes: a clock that always runs for one phase, so that no second is counted twice."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, get_args

Phase = Literal["imports", "building", "compiling", "training", "scoring", "logging", "checkpoints", "other"]
PHASES: tuple[Phase, ...] = get_args(Phase)


class Phases:
    """The clock of the training that runs in this process.

    `with phases("scoring"):` takes the time of the block from the phase around it; outside of every block it is
    `other`. The phases add up to the time that has gone by. One thread alone uses it.
    """

    def __init__(self) -> None:
        self.restart(imports=0.0)

    def restart(self, *, imports: float) -> None:
        """Begin a training that has spent so many seconds already, on the start of its process and on imports."""
        self._spent: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self._spent["imports"] = imports
        self._phase: Phase = "other"
        self._since = time.perf_counter()

    @contextmanager
    def __call__(self, phase: Phase) -> Iterator[None]:
        """Spend the time of the block on a phase."""
        around = self._phase
        self._enter(phase)
        try:
            yield
        finally:
            self._enter(around)

    def _enter(self, phase: Phase) -> None:
        now = time.perf_counter()
        self._spent[self._phase] += now - self._since
        self._phase, self._since = phase, now

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what earlier processes of the same training have spent; phases that they lack count as 0."""
        for phase in PHASES:
            self._spent[phase] += seconds.get(phase, 0.0)

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each phase until now."""
        self._enter(self._phase)
        return {phase: self._spent[phase] for phase in PHASES}
