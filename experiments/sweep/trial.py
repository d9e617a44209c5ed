"""One trial in one framework: a run that reports each epoch to the pruner, and never sees the test set."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from experiments import tracking
from experiments.backend import Backend, Model
from experiments.checkpoint import Checkpoint, State, sole_owner
from experiments.dataset import Dataset, Split
from experiments.params import BackendName
from experiments.project import Project
from experiments.recorder import Recorder
from experiments.sweep.members import Result
from experiments.sweep.plan import Plan
from experiments.training import Code, Training, build_model, stands_on, tags_of, train_in_run

# What a trial's run has in MLflow, beside what every run has.
SWEEP, TRIAL, STATE, PARENT_RUN = "sweep", "trial", "trial_state", "mlflow.parentRunId"
# Hears of the objective after an epoch, and says whether to stop.
Judge = Callable[[int, float], bool]


class Pruned(Exception):
    """The trial is not worth going on with."""


class NotFinite(Exception):
    """The objective is no number: the training has diverged."""


@dataclass(frozen=True)
class Workplace:
    """What a worker loads once, for all of its trials."""

    project: Project
    plan: Plan
    backend_name: BackendName
    backend: Backend
    dataset: Dataset
    split: Split
    code: Code
    experiment: str
    parent: str
    threads: int
    log_every_steps: int

    def training(self, number: int, settings: Mapping[str, float], seed: int) -> Training:
        """Return the training of a trial: the recipe with some of its settings changed."""
        return Training(
            f"{self.plan.name}-{number}",
            self.plan.settings.model_copy(update=dict(settings)),
            self.backend_name,
            seed,
            self.dataset,
            self.split,
            self.code,
            self.threads,
            self.log_every_steps,
        )


class Judged:
    """A listener that passes on what it hears, then lets a judge see the objective of each epoch."""

    def __init__(self, recorder: Recorder, objective: str, judge: Judge) -> None:
        self.recorder, self.objective, self.judge = recorder, objective, judge
        self.began = time.perf_counter()

    def steps_done(
        self, epoch: int, step: int, losses: npt.NDArray[np.floating[Any]], correct: npt.NDArray[np.int64]
    ) -> None:
        """Pass it on; a loss that is no number ends the trial at once."""
        self.recorder.steps_done(epoch, step, losses, correct)
        if not np.isfinite(losses).all():
            raise NotFinite(f"train/loss is {losses[~np.isfinite(losses)][0]} in epoch {epoch}, step {step}")

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        """Pass it on, and ask the judge."""
        self.recorder.epoch_done(epoch, seconds, model)
        value = self.recorder.state.history[epoch][self.objective]
        if not math.isfinite(value):
            raise NotFinite(f"{self.objective} is {value} after epoch {epoch}")
        if self.judge(epoch, value):
            raise Pruned


def run_trial(
    place: Workplace,
    number: int,
    settings: Mapping[str, float],
    seed: int,
    judge: Judge,
    *,
    run_id: str | None,
    begun: Callable[[str], None],
    tell: Callable[[Result | None], None],
) -> None:
    """Train the recipe with some of its settings changed, and tell how it ended; None: pruned.

    Goes on from its checkpoint, and in its MLflow run `run_id`, if it was stopped before. `begun` hears of the id of
    the run as soon as there is one. The checkpoint is kept until the end has been told, so that a kill loses nothing.

    Raises:
        NotFinite: it diverged.
    """
    began = time.perf_counter()
    training = place.training(number, settings, seed)
    model = build_model(training, place.backend)
    digest = stands_on(training, place.backend, any_threads=True)
    folder = place.project.checkpoint(f"sweep-{place.plan.name}", place.backend_name, number, digest)
    with sole_owner(folder, training.label):
        checkpoint = Checkpoint(folder)
        state = checkpoint.load()
        with tracking.track(
            training.label,
            experiment=place.experiment,
            tags=_tags(place, training, number),
            command=place.plan.command,
            resume=_run_to_resume(place, number, run_id, state),
            system_metrics=False,  # the parent's run has them, of all workers together
        ) as tracker:
            begun(tracker.run_id)
            state = state or State(tracker.run_id)
            state.run_id = tracker.run_id
            checkpoint.save(state)
            result = _train(place, training, model, checkpoint, state, tracker, judge, began)
        tell(result)
        checkpoint.clear()


def _tags(place: Workplace, training: Training, number: int) -> dict[str, str]:
    return tags_of(training, place.backend) | {
        "recipe": place.plan.recipe_name,
        SWEEP: place.plan.name,
        TRIAL: str(number),
        PARENT_RUN: place.parent,
    }


def _run_to_resume(place: Workplace, number: int, run_id: str | None, state: State | None) -> str | None:
    """Return the run that the trial has already; a kill right after its start leaves one that the trial lacks.

    One whose checkpoint is of no use any more, since the code has changed, is deleted: its epochs are trained again,
    and no run holds those of two trainings.
    """
    if run_id is None:
        tags = {PARENT_RUN: place.parent, TRIAL: str(number), "backend": place.backend_name}
        run_id = tracking.find_tagged(place.experiment, tags)
    known = tracking.find_run(run_id) if run_id else None
    if known is not None and state is None and known.data.metrics:
        tracking.delete_run(known.info.run_id)
        return None
    return known.info.run_id if known else None


def _train(
    place: Workplace,
    training: Training,
    model: Model,
    checkpoint: Checkpoint,
    state: State,
    tracker: tracking.Tracker,
    judge: Judge,
    began: float,
) -> Result | None:
    objective = place.plan.objective
    heard: list[Judged] = []

    def listen(recorder: Recorder) -> Judged:
        heard.append(Judged(recorder, objective, judge))
        return heard[0]

    ended = "complete"
    try:
        train_in_run(
            place.project,
            training,
            place.backend,
            model,
            checkpoint=checkpoint,
            state=state,
            tracker=tracker,
            load_test=_no_test,
            listen=listen,
            files=False,
        )
    except Pruned:  # a good end, for MLflow too
        ended = "pruned"
    except NotFinite as end:
        tracker.tags({STATE: f"failed: {end}"})
        raise
    now = time.perf_counter()
    values = tuple(row[objective] for _, row in sorted(state.history.items()))
    # As Optuna does, a pruned trial's value is its last.
    tracker.metrics([("objective", values[-1], len(values))])
    tracker.tags({STATE: ended})
    memory = psutil.Process().memory_info().rss / 1e6
    return None if ended == "pruned" else Result(values, now - began, now - heard[0].began, memory)


def _no_test() -> Split:
    raise RuntimeError("a trial asked for the test set")
