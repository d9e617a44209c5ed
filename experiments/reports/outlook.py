"""How far a list of trainings is, and about how long the rest of it takes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from experiments.settings.project import RunKey
from experiments.system.console import say

LINE_SECONDS = 60


@dataclass
class Running:
    """A training at work, from the epoch `since` on; `share` of it is done, `seconds` it has taken."""

    epochs: int
    since: int = 0
    epoch: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def share(self) -> float:
        """Which part of it is done."""
        return self.epoch / self.epochs

    @property
    def whole(self) -> float | None:
        """The seconds that all of it takes at its pace; None: it has no pace yet."""
        done = self.epoch - self.since
        return (time.monotonic() - self.began) / done * self.epochs if done else None


@dataclass
class Outlook:
    """Says which trainings begin, run and are done; so many workers share them."""

    trainings: int
    workers: int
    begun: dict[RunKey, int] = field(default_factory=dict)
    took: dict[RunKey, float] = field(default_factory=dict)
    said: float = field(default_factory=time.monotonic)

    def begins(self, key: RunKey, running: Mapping[RunKey, Running], waiting: Sequence[RunKey]) -> None:
        """Say that a training begins, or goes on after a loss."""
        number = self.begun.setdefault(key, len(self.begun) + 1)
        what = f"training {number}/{self.trainings}: {key.recipe}, {key.backend}, seed {key.seed}"
        self._say(what + self.left(running, [key, *waiting]))

    def epoch(self, line: str) -> None:
        """Say that an epoch has ended."""
        self._say(line)

    def done(self, key: RunKey, training: Running) -> None:
        """Note how long a training took."""
        self.took[key] = training.whole or time.monotonic() - training.began

    def look(self, running: Mapping[RunKey, Running], waiting: Sequence[RunKey]) -> None:
        """Say how far everything is, if nothing was said for a while."""
        if time.monotonic() - self.said < LINE_SECONDS:
            return
        names = [f"{key.label} (epoch {each.epoch}/{each.epochs})" for key, each in running.items()]
        what = f"{len(self.took)} of {self.trainings} trainings done; running: {', '.join(names) or 'none yet'}"
        self._say(what + self.left(running, waiting))

    def left(self, running: Mapping[RunKey, Running], waiting: Sequence[RunKey]) -> str:
        """Return about how long it takes; nothing if no training has a pace yet."""
        took = {key: whole for key, each in running.items() if (whole := each.whole)} | self.took
        if not took:
            return ""
        seconds = sum((1 - each.share) * estimate(took, [key]) for key, each in running.items())
        seconds += estimate(took, [key for key in waiting if key not in running])
        return f", about {_minutes(seconds / self.workers)} left"

    def _say(self, line: str) -> None:
        self.said = time.monotonic()
        say(line)


def estimate(seconds: Mapping[RunKey, float], missing: Sequence[RunKey]) -> float:
    """Return the seconds that trainings will take: as long as those of the same recipe, or as any, have taken."""

    def alike(key: RunKey) -> list[float]:
        same = [s for other, s in seconds.items() if (other.recipe, other.backend) == (key.recipe, key.backend)]
        return same or list(seconds.values())

    return sum(fmean(alike(key)) for key in missing)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
