"""Trainings that an engine's workers run: this process hands them out, and alone writes to MLflow.

Each attempt at a training has a key and a folder of its own. An attempt that was given up is refused whatever it
reports, and the next one resumes from its checkpoint.
"""

import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.contract.backend import Device
from experiments.engine.engine import Ended, Engine, Slot
from experiments.engine.slots import Slots
from experiments.reports.outlook import Outlook, Running
from experiments.reports.remote import train_completely_remotely
from experiments.reports.training_runs import TrainingRuns
from experiments.settings.project import Project, RunKey
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.system.files import write_atomically
from experiments.system.progress import epoch_line
from experiments.system.stopping import raise_if_asked
from experiments.tracking.patience import patiently
from experiments.training.messages import Begun, Closing, EpochDone, Order, Outcome, Reply
from experiments.training.training import Training

WAIT_SECONDS = 0.5


@dataclass
class Attempt:
    """A training at work in a worker."""

    key: RunKey
    slot: Slot
    running: Running


@dataclass(frozen=True)
class Wanted:
    """What is to be trained: for which project, on which device, and how often in a row each may be lost.

    `task` is what a worker does with an order.
    """

    project: Project
    trainings: Mapping[RunKey, Training]
    device: Device
    retries: int
    task: Callable[..., Outcome] = train_completely_remotely


@dataclass
class Trainings:
    """Trains all that is wanted."""

    wanted: Wanted
    engine: Engine
    runs: TrainingRuns
    outlook: Outlook
    slots: Slots = field(default_factory=Slots)
    current: dict[str, Attempt] = field(default_factory=dict)
    losses: Counter[RunKey] = field(default_factory=Counter)
    reached: Counter[RunKey] = field(default_factory=Counter)

    def run(self) -> None:
        """Return when all is done.

        Raises:
            TandemError: a training, or each worker, fails again and again; the others are kept, and a repeat resumes.
        """
        self.waiting = list(self.wanted.trainings)
        self.engine.start(self.answer)
        try:
            while self.waiting or self.current:
                raise_if_asked()
                self._assign()
                for ended in self.engine.events(WAIT_SECONDS):
                    self._end(ended)
                self.outlook.look(self._running(), self.waiting)
        finally:
            self.engine.close()
            self.runs.close_all()

    def _running(self) -> dict[RunKey, Running]:
        return {attempt.key: attempt.running for attempt in self.current.values()}

    def _assign(self) -> None:
        self.slots.update(self.engine.slots())
        for slot in self.slots.idle(self.current):
            backends = self.slots.backends_for(slot, list(dict.fromkeys(key.backend for key in self.waiting)))
            fitting = [key for backend in backends for key in self.waiting if key.backend == backend]
            if fitting:
                self._start(fitting[0], slot)
            elif self.waiting:  # all that is left needs the other framework
                self.engine.renew(slot)
                self.slots.loaded.pop(slot.address)
        if not self.current and (reason := self.slots.hopeless()):
            raise TandemError(
                f"expected workers that train; got {len(self.slots.aside)} put aside after failures, the last: "
                f"{reason}; fix that, and repeat the command"
            )

    def _start(self, key: RunKey, slot: Slot) -> None:
        self.waiting.remove(key)
        self.outlook.begins(key, self._running(), self.waiting)
        order = self._order(key)
        name = f"{key.recipe}-{key.seed}.{key.backend}.{order.folder.name}"
        self.current[name] = Attempt(key, slot, Running(order.recipe.epochs))
        self.slots.loaded[slot.address] = key.backend
        self.engine.submit(name, slot, self.wanted.task, order)

    def _order(self, key: RunKey) -> Order:
        training, folder = self.wanted.trainings[key], self.wanted.project.attempts(key)
        number = max((int(each.name.split("-")[1]) for each in folder.glob("attempt-*")), default=0) + 1
        attempt = folder / f"attempt-{number}"
        attempt.mkdir(parents=True)
        return Order(
            project=self.wanted.project,
            key=key,
            recipe=training.recipe,
            dataset=training.dataset.fingerprint,
            code=training.code,
            device=self.wanted.device,
            threads=training.threads,
            log_every_steps=training.log_every_steps,
            folder=attempt,
            earlier=[folder / f"attempt-{each}" for each in range(number - 1, 0, -1)],
            objective=None,
        )

    # Taking reports.

    def answer(self, name: str, message: Begun | EpochDone | Closing) -> Any:
        """Return what a training is to do, for the first message its run's id; what it reported is accepted by then."""
        attempt = self.current.get(name)
        if attempt is None:
            return Reply.SUPERSEDED
        if isinstance(message, Begun):
            return self._begun(attempt, message)
        if isinstance(message, EpochDone):
            self._epoch(attempt, message)
        else:
            patiently(lambda: self.runs.finish(attempt.key, message))
        return Reply.GO_ON

    def _begun(self, attempt: Attempt, begun: Begun) -> str:
        token = _token(self.wanted.project.attempts(attempt.key))
        training = self.wanted.trainings[attempt.key]
        attempt.running.since = attempt.running.epoch = begun.epoch
        if begun.epoch > self.reached[attempt.key]:
            # Only what could be resumed is progress: on a full disk, epochs are accepted, and their checkpoints lost.
            self.reached[attempt.key] = begun.epoch
            self.losses[attempt.key] = 0
        return patiently(lambda: self.runs.open(training, begun, attempt.slot, token))

    def _epoch(self, attempt: Attempt, done: EpochDone) -> None:
        self.runs.trackers[attempt.key].metrics(done.points)
        attempt.running.epoch = done.epoch
        if done.epoch > attempt.running.since + 1:  # the epoch before was written to disk
            self.slots.has_worked(attempt.slot)
        row = {name: value for name, value, step in done.points if step == done.epoch and name != "train/step_loss"}
        self.outlook.epoch(epoch_line(attempt.key.label, f"{done.epoch}/{attempt.running.epochs}", row))

    # Ends.

    def _end(self, ended: Ended) -> None:
        """Take the end of an attempt; one that isn't current is nobody's."""
        attempt = self.current.pop(ended.key, None)
        if attempt is None:
            return
        if ended.lost or ended.error is not None or ended.result.state == "superseded":
            self._lost(attempt, ended)
            return
        self.slots.has_worked(attempt.slot)
        self.outlook.done(attempt.key, attempt.running)
        shutil.rmtree(self.wanted.project.attempts(attempt.key), ignore_errors=True)

    def _lost(self, attempt: Attempt, ended: Ended) -> None:
        """Let a training be tried again; one that is lost too often without progress ends everything."""
        key, reason = attempt.key, ended.error or "its worker is gone"
        self.runs.close(key, "FAILED" if ended.error else "KILLED")
        warn(f"{key.label} on {attempt.slot.name}: {reason}")
        self.slots.has_failed(attempt.slot, reason, lost=ended.lost)
        self.losses[key] += 1
        if self.losses[key] > self.wanted.retries:
            raise TandemError(
                f"training of {key.recipe}, {key.backend}, seed {key.seed}: expected it to succeed; got "
                f"{self.losses[key]} attempts that were lost, the last: {reason}; fix that, and repeat the command"
            )
        self.waiting.insert(0, key)


def _token(folder: Path) -> str:
    """Return what tells this training from others of the same settings, for as long as its folder is there."""
    file = folder / "token"
    if not file.is_file():
        write_atomically(file, uuid.uuid4().hex[:8])
    return file.read_text()
