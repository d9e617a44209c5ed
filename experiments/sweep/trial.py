"""One trial in one framework: a run that reports each epoch to the pruner, and never sees the test set."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import psutil

from experiments.contract.backend import Backend, Model
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Dataset, Split
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import BackendName
from experiments.sweep.members import Result
from experiments.sweep.plan import Plan
from experiments.tracking import runs
from experiments.training.checkpoint import State
from experiments.training.recorder import Recorder
from experiments.training.session import RunSettings, Session, open_session
from experiments.training.training import Code, Training, tags_of

# What a trial's run has in MLflow, beside what every run has.
SWEEP, TRIAL, STATE, PARENT_RUN = "sweep", "trial", "trial_state", "mlflow.parentRunId"


class Pruned(Exception):
    """The pruner has stopped the trial."""


class NotFinite(Exception):
    """A loss is NaN or infinite: the training has diverged."""


class Reports(Protocol):
    """Where a trial reports to."""

    def started(self, run_id: str) -> None:
        """Receive the id of the MLflow run, as soon as there is one."""

    def should_prune(self, epoch: int, value: float) -> bool:
        """Receive the objective after an epoch, and say whether to stop."""

    def ended(self, result: Result | None) -> None:
        """Receive the result; None: pruned. The checkpoint is kept until this has returned."""


@dataclass(frozen=True)
class WorkerContext:
    """What a worker loads once, for all of its trials."""

    project: Project
    plan: Plan
    backend_name: BackendName
    backend: Backend[Model]
    dataset: Dataset
    code: Code
    experiment: str
    parent: str
    threads: int
    log_every_steps: int


@dataclass(frozen=True)
class TrialRequest:
    """A trial to train: some settings of the recipe changed. `run_id` is its MLflow run, if it was started before."""

    number: int
    settings: Mapping[str, float]
    seed: int
    run_id: str | None

    def training(self, worker: WorkerContext) -> Training:
        """Return the training of the trial."""
        return Training(
            RunKey(f"{worker.plan.name}-{self.number}", worker.backend_name, self.seed),
            worker.plan.settings.model_copy(update=dict(self.settings)),
            worker.dataset,
            worker.code,
            worker.threads,
            worker.log_every_steps,
        )


class PruningListener:
    """A listener that passes everything to a recorder, then reports the objective of each epoch."""

    def __init__(self, recorder: Recorder, objective: str, reports: Reports) -> None:
        self.recorder, self.objective, self.reports = recorder, objective, reports
        self.started = time.perf_counter()

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Pass it on; a loss that is not finite ends the trial at once."""
        self.recorder.steps_done(epoch, step, losses, correct)
        if not np.isfinite(losses).all():
            raise NotFinite(f"train/loss is {losses[~np.isfinite(losses)][0]} in epoch {epoch}, step {step}")

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        """Pass it on, and ask whether to stop."""
        self.recorder.epoch_done(epoch, seconds, model)
        value = self.recorder.state.history[epoch][self.objective]
        if not math.isfinite(value):
            raise NotFinite(f"{self.objective} is {value} after epoch {epoch}")
        if self.reports.should_prune(epoch, value):
            raise Pruned


def run_trial(worker: WorkerContext, request: TrialRequest, reports: Reports) -> None:
    """Train the trial, and report how it ended; resume it if it was stopped before.

    Raises:
        NotFinite: it diverged.
    """
    started = time.perf_counter()
    training = request.training(worker)
    settings = RunSettings(
        worker.experiment,
        command=worker.plan.command,
        tags=_tags(worker, training, request.number),
        resumes=lambda state: _run_to_resume(worker, request, state),
        sweep=worker.plan.name,
    )
    with open_session(worker.project, training, worker.backend, settings) as session:
        reports.started(session.tracker.run_id)
        result = _train(session, worker.plan.objective, reports, started)
        session.when_closed.append(lambda: reports.ended(result))


def _tags(worker: WorkerContext, training: Training, number: int) -> dict[str, str]:
    return tags_of(training, worker.backend) | {
        "recipe": worker.plan.recipe_name,
        SWEEP: worker.plan.name,
        TRIAL: str(number),
        PARENT_RUN: worker.parent,
    }


def _run_to_resume(worker: WorkerContext, request: TrialRequest, state: State | None) -> str | None:
    """Return the run that the trial has already; a kill right after its start leaves one that the trial lacks.

    One whose checkpoint is of no use any more, since the code has changed, is deleted: its epochs are trained again,
    and no run has those of two trainings.
    """
    run_id = request.run_id
    if run_id is None:
        tags = {PARENT_RUN: worker.parent, TRIAL: str(request.number), "backend": worker.backend_name}
        run_id = runs.find_tagged(worker.experiment, tags)
    known = runs.find_run(run_id) if run_id else None
    if known is not None and state is None and known.data.metrics:
        runs.delete_run(known.info.run_id)
        return None
    return known.info.run_id if known else None


def _train(session: Session, objective: str, reports: Reports, started: float) -> Result | None:
    listener = PruningListener(Recorder(session, load_test=_no_test), objective, reports)
    ended = "complete"
    try:
        session.train(listener)
    except Pruned:  # a good end, for MLflow too
        ended = "pruned"
    except NotFinite as error:
        session.tracker.tags({STATE: f"failed: {error}"})
        raise
    now = time.perf_counter()
    values = tuple(row[objective] for _, row in sorted(session.state.history.items()))
    # As Optuna does, a pruned trial's value is its last.
    session.tracker.metrics([("objective", values[-1], len(values))])
    session.tracker.tags({STATE: ended})
    memory = psutil.Process().memory_info().rss / 1e6
    return None if ended == "pruned" else Result(values, now - started, now - listener.started, memory)


def _no_test() -> Split:
    raise RuntimeError("a trial asked for the test set")
