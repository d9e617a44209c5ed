"""Hands trainings out to the workers of an engine, takes their reports, and tries again elsewhere what was lost.

Each attempt at a training has a key. One that was given up isn't current any more, and whatever it reports is refused,
however long it lives.
"""

from collections.abc import Sequence
from typing import Any

from experiments.dispatch.attempt import A, J
from experiments.dispatch.losses import Losses
from experiments.dispatch.slots import Slots
from experiments.dispatch.work import Work
from experiments.engine.engine import Ended, Engine, Slot
from experiments.settings.recipe import BackendName
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.system.stopping import raise_if_asked
from experiments.training.messages import Begun, Closing, EpochDone, Reply

WAIT_SECONDS = 0.5


class Dispatcher(Work[J, A]):
    """Trains what is `waiting`. A job may be lost `retries` times in a row, without progress in between."""

    def __init__(self, engine: Engine, backends: Sequence[BackendName], retries: int) -> None:
        self.engine, self.backends, self.retries = engine, backends, retries
        self.slots = Slots()
        self.waiting: list[J] = []
        self.current: dict[str, A] = {}
        # Attempts that were given up for another reason than their worker's: it is busy until it has heard of that.
        self.leaving: dict[str, A] = {}
        self.losses: Losses[J] = Losses()

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
            self.losses.begins(attempt.job, message.epoch)
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
        count = self.losses.add(job, is_its_own=ended.lost or attempt.slot.name not in self.slots.aside)
        self.lost(attempt, ended)
        if count <= self.retries:
            self.waiting.insert(0, job)
        else:
            self.give_up(job, reason)

    def give_up(self, job: J, reason: str) -> None:
        """Take note of a job that was lost too often; by default, end everything.

        Raises:
            TandemError: the job must not fail.
        """
        raise TandemError(
            f"{self.label(job)}: expected a training that succeeds; got {self.losses.of(job)} attempts that were lost, "
            f"the last: {reason}; fix that, and repeat the command"
        )
