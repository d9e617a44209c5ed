"""How far a study is: budget, running, best so far, pace."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.table import Column, Table

from experiments.sweep.plan import Plan
from experiments.sweep.study import best_of, complete
from experiments.sweep.trials import BUDGET, DONE, REASON, has_diverged, results
from experiments.system.processes import ProcessId


@dataclass(frozen=True)
class Status:
    """A study in numbers.

    `best` is the number, value and settings of the best finished trial, if any; in a sweep of pairs `best_of` has
    the same for each framework. `pruned` and `diverged` are among the finished trials. `controller`: a process is at
    work on the study, as far as can be told from here.
    """

    name: str
    recipe: str
    backend: str
    objective: str
    budget: int | None
    finished: int
    pruned: int
    diverged: int
    failed: int
    running: int
    waiting: int
    controller: bool
    best: dict[str, Any] | None
    best_of: dict[str, dict[str, Any]]
    last_failure: str | None
    seconds_per_trial: float | None

    @property
    def seconds_left(self) -> float | None:
        """The time that the rest takes at the pace so far, with as many trials at a time as now."""
        if self.seconds_per_trial is None:
            return None
        return self.seconds_per_trial * self.left / max(self.running, 1)

    @property
    def left(self) -> int:
        """The number of trials that are to be finished yet; a stopped sweep may be resumed with fewer."""
        return max(0, (self.budget or 0) - self.finished)


def status_of(study: optuna.Study, plan: Plan, holder: ProcessId | None = None) -> Status:
    """Return how far a study is; `holder` is the process that has its lease."""
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state for trial in trials)
    failed = [trial for trial in trials if trial.user_attrs.get(REASON)]
    best = best_of(study, plan)
    return Status(
        name=plan.name,
        recipe=plan.recipe_name,
        backend=plan.backends,
        objective=plan.objective,
        budget=study.user_attrs.get(BUDGET),
        finished=states[TrialState.COMPLETE] + states[TrialState.PRUNED],
        pruned=states[TrialState.PRUNED],
        diverged=sum(has_diverged(trial) for trial in trials),
        failed=states[TrialState.FAIL],
        running=states[TrialState.RUNNING],
        waiting=states[TrialState.WAITING],
        controller=holder is not None and holder.liveness() != "gone",
        best={"trial": best.number, "value": best.value, "settings": best.params} if best else None,
        best_of=_best_of(plan, complete(study)) if len(plan.backends_of_trial) > 1 else {},
        last_failure=str(failed[-1].user_attrs.get(REASON)) if failed else None,
        seconds_per_trial=_pace(plan, trials),
    )


def _best_of(plan: Plan, good: Sequence[FrozenTrial]) -> dict[str, dict[str, Any]]:
    best_by_backend: dict[str, dict[str, Any]] = {}
    for backend in plan.backends_of_trial if good else ():
        values = {trial.number: results(trial, plan.backends_of_trial)[backend].value for trial in good}
        best = min(good, key=lambda trial: plan.sign * values[trial.number])
        best_by_backend[backend] = {"trial": best.number, "value": values[best.number], "settings": best.params}
    return best_by_backend


def _pace(plan: Plan, trials: Sequence[FrozenTrial]) -> float | None:
    """Return the mean seconds of a finished trial; those of pruned ones are from the storage's clock."""
    taken = []
    for trial in trials:
        if trial.state in DONE:
            known = results(trial, plan.backends_of_trial)
            if len(known) == len(plan.backends_of_trial):
                taken.append(sum(result.seconds for result in known.values()))
            elif trial.duration is not None:
                taken.append(trial.duration.total_seconds())
    return sum(taken) / len(taken) if taken else None


def to_table(statuses: Sequence[Status]) -> Table:
    """Return a row for each study; what none has takes no room."""
    counts = ("pruned", "diverged", "failed", "running", "waiting")
    shown = [name for name in counts if any(getattr(row, name) for row in statuses)]
    # A study's name has to be typed: it is never cut.
    table = Table(Column("study", no_wrap=True, overflow="fold"), "finished", *shown, "best", "a trial", "left")
    for row in statuses:
        best = f"{row.best['value']:.4f} (trial {row.best['trial']})" if row.best else ""
        finished = f"{row.finished}" + (f" of {row.budget}" if row.budget else "")
        seconds = (row.seconds_per_trial, row.seconds_left)
        times = [str(timedelta(seconds=round(each))) if each else "" for each in seconds]
        table.add_row(row.name, finished, *(str(getattr(row, name)) for name in shown), best, *times)
    return table
