"""The members of a trial: a sweep with `--backend both` trains every point in both frameworks, one after the other.

A worker trains one framework. It takes a waiting trial, trains its member, keeps the value on the trial, and puts the
trial back for a worker of the other framework; whoever trains the last member tells Optuna the mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from optuna.trial import FrozenTrial

from experiments.settings.recipe import BackendName

# How many trials the workers of one framework may be ahead of the other's: what they can't wait for, the sampler
# doesn't know of when it draws the next.
AHEAD = 2


@dataclass(frozen=True)
class Result:
    """What the training of one member brought.

    `objective` has the value after each epoch. `seconds` is the time from taking the trial to its end, `training` the
    part of it inside the framework's training, `memory_mb` what the worker held after it (resident, 10⁶ bytes).
    """

    objective: tuple[float, ...]
    seconds: float
    training: float
    memory_mb: float

    @property
    def value(self) -> float:
        """The objective after the last epoch."""
        return self.objective[-1]


def run_key(backend: BackendName) -> str:
    """Return the name under which a trial keeps the id of a member's MLflow run."""
    return f"mlflow_run_id.{backend}"


def result_key(backend: BackendName) -> str:
    """Return the name under which a trial keeps a member's result."""
    return f"result.{backend}"


def results(trial: FrozenTrial, members: Sequence[BackendName]) -> dict[BackendName, Result]:
    """Return the results that a trial has so far."""
    kept = {backend: trial.user_attrs.get(result_key(backend)) for backend in members}
    return {name: Result(**{**each, "objective": tuple(each["objective"])}) for name, each in kept.items() if each}


def mean_objective(done: Mapping[BackendName, Result]) -> list[float]:
    """Return the mean of the members' objectives, after each epoch."""
    return [fmean(values) for values in zip(*(result.objective for result in done.values()), strict=True)]


def lacking(trials: Sequence[FrozenTrial], members: Sequence[BackendName], backend: BackendName) -> list[FrozenTrial]:
    """Return those of the trials that a worker of this backend has something to do for, now or later."""
    return [trial for trial in trials if len(done := results(trial, members)) == len(members) or backend not in done]


def choose(
    waiting: Sequence[FrozenTrial], running: Sequence[FrozenTrial], members: Sequence[BackendName], backend: BackendName
) -> list[FrozenTrial]:
    """Return the waiting trials that a worker of this backend may take now: those that are begun come first."""
    every = [*waiting, *running]
    able = lacking(waiting, members, backend)
    begun = [trial for trial in able if results(trial, members)]
    new = [trial for trial in able if not results(trial, members)]
    # Trials that have this member, and whose other one is still to come.
    ahead = sum(backend in (done := results(each, members)) and len(done) < len(members) for each in every)
    return begun + (new if ahead < AHEAD else [])
