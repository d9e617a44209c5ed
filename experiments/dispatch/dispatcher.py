"""Hands trainings out to the workers of an engine, takes their reports, and tries again elsewhere what was lost.

Each attempt at a training has a key. One that was given up isn't current any more, and whatever it reports is refused,
however long it lives.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from experiments.dispatch.slots import Slots
from experiments.engine.engine import Ended, Engine, Slot
from experiments.settings.recipe import BackendName
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.system.stopping import raise_if_asked
from experiments.training.messages import Begun, Closing, EpochDone, Outcome, Reply

WAIT_SECONDS = 0.5


class Job(Hashable, Protocol):
    """What is to be trained."""

    @property
    def backend(self) -> BackendName:
        """The framework that trains it."""


J = TypeVar("J", bound=Job)


@dataclass
class Attempt(Generic[J]):
    """A job in a worker, resumed after the epoch `since`; `epoch` is the last that was accepted."""

    job: J
    slot: Slot
    since: int = 0
    epoch: int = 0


A = TypeVar("A", bound=Attempt[Any])


class Dispatcher(ABC, Generic[J, A]):
    """Trains what is `waiting`. A job may be lost `retries` times in a row, without progress in between."""

    def __init__(self, engine: Engine, backends: Sequence[BackendName], retries: int) -> None:
        self.engine, self.backends, self.retries = engine, backends, retries
        self.slots = Slots()
        self.waiting: list[J] = []
        self.current: dict[str, A] = {}
        # Attempts that were given up for another reason than their worker's: it is busy until it has heard of that.
        self.leaving: dict[str, A] = {}
        # Of jobs that were lost: how often in a row, and the epoch that the last attempt began at.
        self.losses: Counter[J] = Counter()
        self.reached: Counter[J] = Counter()

    def run(self) -> None:
        """Return when all is done; close the engine in any case.

        Raises:
            TandemError: a job that must not fail, or each worker, fails again and again; a repeat resumes.
        """
        try:
            self.engine.start(self.answer)
            while not self.is_done():
                raise_if_asked()
                self._assign()
                for ended in self.engine.events(WAIT_SECONDS):
                    self.end(ended)
                self.look()
        finally:
            self.engine.close()

    def answer(self, key: str, message: Begun | EpochDone | Closing) -> Any:
        """Return what a training is to do; what it reported is accepted by then."""
        attempt = self.current.get(key)
        if attempt is None:
            return Reply.SUPERSEDED
        self.check()
        if isinstance(message, Begun):
            attempt.since = attempt.epoch = message.epoch
            # Only what could be resumed is progress: on a full disk, epochs are accepted, and their checkpoints lost.
            if message.epoch > self.reached[attempt.job]:
                self.reached[attempt.job], self.losses[attempt.job] = message.epoch, 0
            return self.begun(attempt, message)
        if isinstance(message, Closing):
            return self.closing(attempt, message)
        attempt.epoch = message.epoch
        if message.epoch > attempt.since + 1:  # the epoch before was written to disk
            self.slots.has_worked(attempt.slot)
        return self.epoch_done(attempt, message)

    def end(self, ended: Ended) -> None:
        """Take the end of an attempt; one that isn't current is nobody's."""
        attempt = self.current.pop(ended.key, None)
        if attempt is None:
            self.leaving.pop(ended.key, None)
            return
        self.check()
        if ended.lost or ended.error is not None or ended.result.state == "superseded":
            self._lost(attempt, ended)
        else:
            self.slots.has_worked(attempt.slot)
            self.finish(attempt, ended.result)

    def _assign(self) -> None:
        self.slots.update(self.engine.slots())
        for slot in self.slots.idle({**self.current, **self.leaving}):
            if (job := self._next(slot)) is not None:
                self.waiting.remove(job)
                self.slots.loaded[slot.address] = job.backend
                self.start(job, slot)
            elif self.waiting and self.switches(slot):
                self.engine.renew(slot)
                self.slots.loaded.pop(slot.address)
        if not self.current and (reason := self.slots.hopeless()):
            raise TandemError(
                f"{self.title}: expected workers that train; got {len(self.slots.aside)} put aside after failures, "
                f"the last: {reason}; fix that, and repeat the command"
            )

    def _next(self, slot: Slot) -> J | None:
        """Return what a worker is to train next: for the framework that it has loaded, if it has one."""
        for backend in self.slots.backends_for(slot, self.backends):
            self.refill(backend)
            for job in self.waiting:
                if job.backend == backend:
                    return job
        return None

    def _lost(self, attempt: A, ended: Ended) -> None:
        job, reason = attempt.job, ended.error or "its worker is gone"
        warn(f"{self.label(job)} on {attempt.slot.name}: {reason}")
        self.slots.has_failed(attempt.slot, reason, lost=ended.lost)
        # What fails in a worker that fails at everything is not the job's fault.
        is_job_s = ended.lost or attempt.slot.name not in self.slots.aside
        self.losses[job] = self.losses[job] + 1 if is_job_s else 0
        self.lost(attempt, ended)
        if self.losses[job] <= self.retries:
            self.waiting.insert(0, job)
        else:
            self.give_up(job, reason)

    def give_up(self, job: J, reason: str) -> None:
        """Take note of a job that was lost too often; by default, end everything.

        Raises:
            TandemError: the job must not fail.
        """
        raise TandemError(
            f"{self.label(job)}: expected a training that succeeds; got {self.losses[job]} attempts that were lost, "
            f"the last: {reason}; fix that, and repeat the command"
        )

    # What the jobs are, and what becomes of them.

    @property
    @abstractmethod
    def title(self) -> str:
        """What messages call all of it."""

    @abstractmethod
    def label(self, job: J) -> str:
        """Return what messages call a job."""

    @abstractmethod
    def is_done(self) -> bool:
        """Return whether there is nothing left to do."""

    @abstractmethod
    def start(self, job: J, slot: Slot) -> None:
        """Begin an attempt: make it current, and submit it."""

    @abstractmethod
    def begun(self, attempt: A, begun: Begun) -> Any:
        """Accept the first report of an attempt, and return the answer."""

    @abstractmethod
    def epoch_done(self, attempt: A, done: EpochDone) -> Reply:
        """Accept an epoch."""

    @abstractmethod
    def finish(self, attempt: A, outcome: Outcome) -> None:
        """Take what an attempt brought that came to its end."""

    def closing(self, attempt: A, closing: Closing) -> Reply:
        """Accept the last report of a complete training; what else is trained sends none.

        Raises:
            RuntimeError: it was sent all the same.
        """
        raise RuntimeError(f"{self.label(attempt.job)}: expected no report after the last epoch; got {closing.files}")

    def check(self) -> None:
        """Make sure that this process may still write."""

    def refill(self, backend: BackendName) -> None:
        """Add to what is waiting for a framework."""

    def switches(self, slot: Slot) -> bool:
        """Return whether an idle worker is to load the other framework, for which something waits."""
        return True

    def lost(self, attempt: A, ended: Ended) -> None:
        """Take note of a loss."""

    def look(self) -> None:
        """Show how far everything is; called once in a while."""
