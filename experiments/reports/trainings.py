"""A list of trainings, run by the workers of an engine: this process hands them out, and alone writes to MLflow.

Each attempt at a training has a folder of its own; the next one resumes from its checkpoint.
"""

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from experiments.contract.backend import Device
from experiments.dispatch.attempt import Attempt
from experiments.dispatch.dispatcher import Dispatcher
from experiments.engine.engine import Ended, Engine, Slot
from experiments.reports.outlook import Outlook, Running
from experiments.reports.remote import train_completely_remotely
from experiments.reports.training_runs import TrainingRuns
from experiments.settings.project import Project, RunKey
from experiments.system.files import write_atomically
from experiments.system.progress import epoch_line
from experiments.tracking.patience import patiently
from experiments.training.messages import Begun, Closing, EpochDone, Order, Outcome, Reply
from experiments.training.training import Training


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
class TrainingAttempt(Attempt[RunKey]):
    """A training in a worker, and how long it has taken."""

    running: Running = field(kw_only=True)


class Trainings(Dispatcher[RunKey, TrainingAttempt]):
    """Trains all that is wanted."""

    title = "trainings"

    def __init__(self, wanted: Wanted, engine: Engine, runs: TrainingRuns, outlook: Outlook) -> None:
        super().__init__(engine, list(dict.fromkeys(key.backend for key in wanted.trainings)), wanted.retries)
        self.wanted, self.runs, self.outlook = wanted, runs, outlook
        self.waiting = list(wanted.trainings)

    def run(self) -> None:
        """Return when all is done.

        Raises:
            TandemError: a training, or each worker, fails again and again; the others are kept, and a repeat resumes.
        """
        try:
            super().run()
        finally:
            self.runs.close_all()

    def is_done(self) -> bool:
        """Return whether nothing waits or runs."""
        return not (self.waiting or self.current)

    def label(self, job: RunKey) -> str:
        """Return recipe, framework and seed."""
        return f"training of {job.recipe}, {job.backend}, seed {job.seed}"

    def look(self) -> None:
        """Say how far everything is, if nothing was said for a while."""
        self.outlook.look(self._running(), self.waiting)

    def _running(self) -> dict[RunKey, Running]:
        return {attempt.job: attempt.running for attempt in self.current.values()}

    def start(self, job: RunKey, slot: Slot) -> None:
        """Begin an attempt."""
        self.outlook.begins(job, self._running(), self.waiting)
        order = self._order(job)
        name = f"{job.recipe}-{job.seed}.{job.backend}.{order.folder.name}"
        self.current[name] = TrainingAttempt(job, slot, running=Running(order.recipe.epochs))
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

    def begun(self, attempt: TrainingAttempt, begun: Begun) -> str:
        """Open the run, and return its id."""
        training, token = self.wanted.trainings[attempt.job], _token(self.wanted.project.attempts(attempt.job))
        attempt.running.since = attempt.running.epoch = begun.epoch
        return patiently(lambda: self.runs.open(training, begun, attempt.slot, token))

    def epoch_done(self, attempt: TrainingAttempt, done: EpochDone) -> Reply:
        """Log an epoch, and show it."""
        self.runs.trackers[attempt.job].metrics(done.points)
        attempt.running.epoch = done.epoch
        row = {name: value for name, value, step in done.points if step == done.epoch and name != "train/step_loss"}
        self.outlook.epoch(epoch_line(attempt.job.label, f"{done.epoch}/{attempt.running.epochs}", row))
        return Reply.GO_ON

    def closing(self, attempt: TrainingAttempt, closing: Closing) -> Reply:
        """Log what a training has left, and close its run."""
        patiently(lambda: self.runs.finish(attempt.job, closing))
        return Reply.GO_ON

    def finish(self, attempt: TrainingAttempt, outcome: Outcome) -> None:
        """Delete the checkpoints of a training whose outputs are written."""
        attempt.running.epochs = attempt.running.epoch  # it may have stopped early
        self.outlook.done(attempt.job, attempt.running)
        shutil.rmtree(self.wanted.project.attempts(attempt.job), ignore_errors=True)

    def lost(self, attempt: TrainingAttempt, ended: Ended) -> None:
        """Close the run; the next attempt opens it again."""
        self.runs.close(attempt.job, "FAILED" if ended.error else "KILLED")


def _token(folder: Path) -> str:
    """Return what tells this training from others of the same settings, for as long as its folder is there."""
    file = folder / "token"
    if not file.is_file():
        write_atomically(file, uuid.uuid4().hex[:8])
    return file.read_text()
