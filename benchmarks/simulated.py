"""Workers that report as trainings do, and train nothing; the time that they would train is skipped, not waited for.

The controller can't tell: it has the engine that it always has. What it takes itself is real time, so that a minute of
a thousand workers costs what the controller does in it, and nothing more.
"""

import heapq
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.contract.run_log import Point
from experiments.engine.engine import Answer, Ended, P, Slot, Task
from experiments.training.messages import Begun, EpochDone, Order, Outcome, Reply

# What an epoch of LeNet on MNIST reports: a loss every 50 of its 844 steps, and the figures of its end.
STEPS, FIGURES = 17, ("train/loss", "train/accuracy", "val/accuracy", "val/macro_f1", "epoch_seconds", "images/s")


class Enough(Exception):
    """As many trials as asked for have been measured."""


@dataclass
class Training:
    """What a worker is at: `due` is when its next report would be sent, in the time of the workers."""

    key: str
    slot: Slot
    order: Order
    epochs: int
    epoch_seconds: float
    values: list[float] = field(default_factory=list)
    begun: bool = False
    pruned: bool = False
    waited: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether nothing but its end is left."""
        return self.pruned or len(self.values) == self.epochs

    def report(self) -> Begun | EpochDone:
        """Return what it says next."""
        if not self.begun:
            self.begun = True
            params = {**self.order.recipe.model_dump(mode="json"), "seed": self.order.key.seed}
            return Begun(0, "cpu", {"backend": self.order.key.backend, "device": "cpu"}, params, ())
        epoch = len(self.values) + 1
        self.values.append(loss(self.order, epoch))
        return EpochDone(epoch, self.values[-1], points(epoch, self.values[-1]))

    def outcome(self) -> Outcome:
        """Return how it ended."""
        seconds = self.epoch_seconds * len(self.values)
        return Outcome("pruned" if self.pruned else "complete", tuple(self.values), seconds, seconds, 100.0)


def loss(order: Order, epoch: int) -> float:
    """Return a loss that depends on the settings, and falls with the epochs."""
    recipe = order.recipe
    far = abs(recipe.lr - 0.01) + abs((recipe.momentum or 0) - 0.9) + abs((recipe.dropout or 0) - 0.4)
    return far + 1 / epoch


def points(epoch: int, value: float) -> list[Point]:
    """Return the metrics of an epoch."""
    steps: list[Point] = [("train/step_loss", value, (epoch - 1) * STEPS + step + 1) for step in range(STEPS)]
    return [*steps, ("val/loss", value, epoch), *((name, value, epoch) for name in FIGURES)]


@dataclass
class Measured:
    """Seconds that the controller took, by what it did, and what its workers did meanwhile."""

    took: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waits: list[float] = field(default_factory=list)
    trained: float = 0.0
    idle: float = 0.0
    wall: float = 0.0
    cpu: float = 0.0

    def mean(self, what: str) -> float:
        """Return the mean seconds."""
        taken = self.took[what]
        return sum(taken) / max(1, len(taken))


class SimulatedEngine:
    """So many workers, whose trials of `epochs` epochs last about `seconds`; measures once all of them are at work.

    The first trial of each worker is somewhere in its middle, as in a study that has run for a while. Ends with
    `Enough` after `trials` ends.
    """

    def __init__(self, workers: int, epochs: int, seconds: float, trials: int) -> None:
        self.workers, self.epochs, self.seconds, self.trials = workers, epochs, seconds, trials
        self._slots = [Slot(f"w{number}", f"w{number}", "node", "") for number in range(workers)]
        self._due: list[tuple[float, int, Training]] = []
        self._count, self._random = itertools.count(), random.Random(1)  # noqa: S311
        self._skipped, self._submitted, self._left, self._ends = 0.0, 0, 0.0, 0
        self._free: dict[str, float] = {}
        self._began: tuple[float, float] | None = None
        self.measured = Measured()

    def start(self, answer: Answer) -> None:
        """Remember whom reports go to."""
        self._answer = answer

    def slots(self) -> Sequence[Slot]:
        """Return all workers."""
        return self._slots

    def submit(self, key: str, slot: Slot, task: Task[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let a worker begin."""
        order: Any = args[0]
        first = slot.address not in self._free
        epochs = self._random.randint(1, self.epochs) if first else self.epochs
        seconds = self.seconds / self.epochs * self._random.uniform(0.8, 1.2)
        if not first:
            self.measured.idle += self._now() - self._free[slot.address]
        self._free[slot.address] = self._now()
        self._submitted += 1
        # Workers that all began at the same time would wait for each other as those of a running study don't.
        later = self._random.uniform(0, self.seconds) if first else 0.0
        self._send(Training(key, slot, order, epochs, seconds), self._now() + later)

    def events(self, seconds: float) -> Iterator[Ended]:
        """Answer what is due; if nothing is, go on to when something will be."""
        self._handed_out()
        until = self._now() + seconds
        if not self._due or self._due[0][0] > until:
            self._skip(until)
        else:
            self._skip(self._due[0][0])
        while self._due and self._due[0][0] <= self._now():
            due, _, training = heapq.heappop(self._due)
            if training.is_done:
                yield from self._end(training, due)
                break
            self._report(training, due)
        self._left = time.perf_counter()

    def renew(self, slot: Slot) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Forget all."""
        self._due = []

    def _now(self) -> float:
        return time.perf_counter() + self._skipped

    def _skip(self, until: float) -> None:
        self._skipped += max(0.0, until - self._now())

    def _send(self, training: Training, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._count), training))

    def _handed_out(self) -> None:
        """Take note of what the controller did since the last event: the orders of new trials."""
        if self._began is None:  # all workers have their first trial now
            self._began = (self._now(), time.process_time())
        elif self._submitted:
            took = (time.perf_counter() - self._left) / self._submitted
            self.measured.took["order"] += [took] * self._submitted
        self._submitted = 0

    def _report(self, training: Training, due: float) -> None:
        what, message = "epoch" if training.begun else "begun", training.report()
        start = time.perf_counter()
        reply = self._answer(training.key, message)
        self.measured.took[what].append(time.perf_counter() - start)
        self.measured.waits.append(self._now() - due)
        self.measured.idle += self._now() - due
        training.pruned = reply != Reply.GO_ON
        more = 0.0 if training.is_done else training.epoch_seconds
        self.measured.trained += more
        self._send(training, self._now() + more)

    def _end(self, training: Training, due: float) -> Iterator[Ended]:
        start = time.perf_counter()
        self._free[training.slot.address] = due
        yield Ended(training.key, training.slot, training.outcome())
        self.measured.took["end"].append(time.perf_counter() - start)
        self._ends += 1
        if self._ends == self.trials and self._began:
            began, cpu = self._began
            self.measured.wall, self.measured.cpu = self._now() - began, time.process_time() - cpu
            raise Enough
