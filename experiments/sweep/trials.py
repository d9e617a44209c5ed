"""What a trial keeps in the study, besides its parameters: attempts, results, and why it failed.

A sweep with `--backend both` trains every trial in both frameworks, as two members; Optuna is told the mean.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from experiments.settings.recipe import BackendName
from experiments.training.messages import Outcome

# The seed of a trial that has one of its own; why a trial failed; after which epoch it was pruned.
SEED, REASON, PRUNED = "seed", "failed_because", "pruned_after_epoch"
# How many finished trials a study is to have: an attribute of the study.
BUDGET = "budget"
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
OPEN = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True)
class Result:
    """What the training of one member brought.

    `objective` has the value after each epoch. `seconds` is the time from the order to its end, `training` the part of
    it inside the framework's training, `memory_mb` what the worker held after it (resident, 10⁶ bytes). `diverged`
    says where a loss was no number.
    """

    objective: tuple[float, ...]
    seconds: float
    training: float
    memory_mb: float
    diverged: str | None = None

    @property
    def value(self) -> float:
        """The objective after the last epoch; NaN if it diverged."""
        return math.nan if self.diverged else self.objective[-1]

    def to_attribute(self) -> dict[str, Any]:
        """Return what the trial keeps."""
        return asdict(self)


def result_of(outcome: Outcome) -> Result:
    """Return the result of a training that has ended."""
    values = tuple(value for value in outcome.values if math.isfinite(value))
    return Result(values, outcome.seconds, outcome.training, outcome.memory_mb, outcome.diverged)


def run_key(backend: BackendName) -> str:
    """Return the name under which a trial keeps the id of a member's MLflow run."""
    return f"mlflow_run_id.{backend}"


def result_key(backend: BackendName) -> str:
    """Return the name under which a trial keeps a member's result."""
    return f"result.{backend}"


def attempts_key(backend: BackendName) -> str:
    """Return the name under which a trial keeps how often a member was begun."""
    return f"attempts.{backend}"


def read_results(attributes: Mapping[str, Any], members: Sequence[BackendName]) -> dict[BackendName, Result]:
    """Return the results that a trial's attributes have so far."""
    kept = {backend: attributes.get(result_key(backend)) for backend in members}
    return {name: Result(**{**each, "objective": tuple(each["objective"])}) for name, each in kept.items() if each}


def results(trial: FrozenTrial, members: Sequence[BackendName]) -> dict[BackendName, Result]:
    """Return the results that a trial has so far."""
    return read_results(trial.user_attrs, members)


def has_diverged(trial: FrozenTrial) -> bool:
    """Return whether a complete trial was told as the worst there is: a loss was no number."""
    return trial.state == TrialState.COMPLETE and not math.isfinite(float(trial.value or 0))


def final_value(done: Mapping[BackendName, Result], *, worst: float) -> float:
    """Return what Optuna is told: the mean over the members, or the worst there is if one has diverged."""
    values = [result.value for result in done.values()]
    return worst if any(math.isnan(value) for value in values) else fmean(values)


def mean_objective(done: Mapping[BackendName, Result]) -> list[float]:
    """Return the mean of the members' objectives after each epoch that all of them have reached."""
    return [fmean(values) for values in zip(*(result.objective for result in done.values()), strict=False)]
