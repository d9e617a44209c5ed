"""The best trial so far, as the study's own run in MLflow shows it: a metric after every trial, tags, a description."""

import math
from collections.abc import Iterable

from optuna.trial import FrozenTrial, TrialState

from experiments.settings.tuned import text_of
from experiments.sweep.patience import patiently
from experiments.sweep.plan import Plan
from experiments.tracking.tracker import Tracker

METRIC, TRIAL = "best", "best_trial"


class Best:
    """Follows the trials that count as they end; the run is that of `tracker`.

    A confirmation has no best trial: its values are of different seeds. All of it is repeated for a study that is
    resumed, which changes nothing but what a kill has kept from being written.
    """

    def __init__(self, plan: Plan, tracker: Tracker) -> None:
        self.plan, self.tracker = plan, tracker
        self.trial: FrozenTrial | None = None
        self.finished = 0

    @property
    def value(self) -> float | None:
        """The objective of the best trial."""
        return self.trial.value if self.trial else None

    def load(self, done: Iterable[FrozenTrial]) -> None:
        """Take the trials that have ended before, in the order in which they did."""
        for trial in sorted(done, key=lambda each: (each.datetime_complete, each.number)):
            self._take(trial)
        self._publish()

    def add(self, trial: FrozenTrial) -> None:
        """Take a trial that has ended."""
        if self._take(trial):
            self._publish()

    def _take(self, trial: FrozenTrial) -> bool:
        """Count a trial and log the metric; return whether the trial is the best now."""
        self.finished += 1
        if self.plan.confirms:
            return False
        is_best = trial.state == TrialState.COMPLETE and self._rank(trial) < self._rank(self.trial)
        if is_best:
            self.trial = trial
        if self.value is not None:
            self.tracker.metrics([(METRIC, self.value, self.finished)])
        return is_best

    def _rank(self, trial: FrozenTrial | None) -> tuple[float, int]:
        value = math.inf if trial is None or trial.value is None else self.plan.sign * trial.value
        return (value, trial.number) if trial and value < math.inf else (math.inf, 0)

    def _publish(self) -> None:
        if (trial := self.trial) is None:
            return
        settings = {f"{METRIC}.{name}": str(value) for name, value in trial.params.items()}
        text = text_of(trial.params)
        note = (
            f"Best: trial {trial.number}, {self.plan.objective} **{self.value:.4f}** of a single seed, with {text}.\n\n"
            f"`{self.plan.command}` resumes it, `tandem sweep report {self.plan.name}` adds tables and plots."
        )
        patiently(lambda: self.tracker.note(note, {TRIAL: str(trial.number), **settings}))
