"""One trial: a run that reports each epoch to the pruner, and never sees the test set."""

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments import tracking
from experiments.backend import Backend, Model, TrainingSettings, load_inspection
from experiments.checkpoint import Checkpoint, State, sole_owner
from experiments.dataset import Dataset, Split
from experiments.errors import TandemError
from experiments.layers import multiply_adds
from experiments.params import BackendName
from experiments.progress import TrainingProgress
from experiments.project import Project
from experiments.recorder import Recorder
from experiments.sweep.study import Plan
from experiments.training import Training, build_model, stands_on, start_record, tags_of, track_start

# Hears of the objective after an epoch, and says whether to stop.
Judge = Callable[[int, float], bool]


class Pruned(Exception):
    """The trial is not worth going on with."""


class NotFinite(TandemError):
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
    validation: Split
    experiment: str
    parent: str
    threads: int
    log_every_steps: int


class Judged:
    """A listener that passes on what it hears, then lets a judge see the objective of each epoch."""

    def __init__(self, recorder: Recorder, objective: str, judge: Judge) -> None:
        self.recorder, self.objective, self.judge = recorder, objective, judge

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
    judge: Judge,
    *,
    run_id: str | None,
    begun: Callable[[str], None],
    tell: Callable[[float | None], None],
) -> None:
    """Train the recipe with some of its settings changed, and tell the objective after its last epoch; None: pruned.

    Goes on from its checkpoint, and in its MLflow run `run_id`, if it was stopped before. `begun` hears of the id of
    the run as soon as there is one. The checkpoint is kept until the end has been told, so that a kill loses nothing.

    Raises:
        NotFinite: it diverged.
    """
    plan = place.plan
    recipe = plan.settings.model_copy(update=dict(settings))
    training = Training(
        f"{plan.name}-{number}",
        recipe,
        place.backend_name,
        plan.seed,
        place.dataset,
        place.split,
        place.threads,
        place.log_every_steps,
    )
    model = build_model(training, place.backend)
    digest = stands_on(place.project.root, training, place.backend)
    folder = place.project.checkpoint(f"sweep-{plan.name}", place.backend_name, number, digest)
    with sole_owner(folder):
        checkpoint = Checkpoint(folder)
        state = checkpoint.load()
        known = tracking.find_run(run_id) if run_id else None
        tags = tags_of(place.project.root, training, place.backend) | {
            "recipe": plan.recipe_name,
            "sweep": plan.name,
            "trial": str(number),
            "mlflow.parentRunId": place.parent,
        }
        value: float | None = None
        with tracking.track(
            training.label, experiment=place.experiment, tags=tags, resume=known.info.run_id if known else None
        ) as tracker:
            begun(tracker.run_id)
            state = state or State(tracker.run_id)
            state.run_id = tracker.run_id
            checkpoint.save(state)
            with contextlib.suppress(Pruned):  # which is a good end, for MLflow too
                value = _train(place, training, model, checkpoint, state, tracker, judge)
        tell(value)
        checkpoint.clear()


def _train(
    place: Workplace,
    training: Training,
    model: Model,
    checkpoint: Checkpoint,
    state: State,
    tracker: tracking.Tracker,
    judge: Judge,
) -> float:
    recipe, objective = training.recipe, place.plan.objective
    layers = load_inspection(place.backend_name).layers(model)
    record = start_record(place.project.root, training, model) | {"multiply_adds": multiply_adds(layers)}
    track_start(place.project, training, record, tracker)
    images = training.images_per_epoch
    progress = TrainingProgress(training.label, epochs=recipe.epochs, steps=-(-images // recipe.batch_size))
    recorder = Recorder(
        recipe,
        images_per_epoch=images,
        validation=place.validation,
        load_test=_no_test,
        state=state,
        checkpoint=checkpoint,
        tracker=tracker,
        progress=progress,
    )
    judged = Judged(recorder, objective, judge)
    settings = TrainingSettings(recipe, training.seed, training.log_every_steps)
    try:
        with progress:
            place.backend.train(
                model,
                training.split.images,
                training.split.labels,
                settings,
                checkpoint=checkpoint.file,
                listener=judged,
            )
    except (Pruned, NotFinite) as end:
        tracker.tags({"trial_state": "pruned" if isinstance(end, Pruned) else f"failed: {end}"})
        raise
    value = recorder.state.history[recipe.epochs][objective]
    tracker.metrics([("objective", value, recipe.epochs)])
    tracker.tags({"trial_state": "complete"})
    return value


def _no_test() -> Split:
    raise RuntimeError("a trial asked for the test set")
