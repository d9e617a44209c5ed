"""How far a study is: budget, running, best so far, pace."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import TrialState

from experiments.sweep.queue import DONE, OWNER, is_alive
from experiments.sweep.study import Plan


@dataclass(frozen=True)
class Status:
    """A study in numbers. `best` is the number, value and settings of the best finished trial, if there is one."""

    name: str
    recipe: str
    backend: str
    objective: str
    finished: int
    pruned: int
    failed: int
    running: int
    orphaned: int
    waiting: int
    best: dict[str, Any] | None
    seconds_per_trial: float | None

    @property
    def seconds_left(self) -> float | None:
        """The time that the rest takes at the pace so far, with as many workers as there are."""
        if self.seconds_per_trial is None:
            return None
        return self.seconds_per_trial * (self.waiting + self.running) / max(self.running, 1)


def status_of(study: optuna.Study, plan: Plan) -> Status:
    """Return where a study stands."""
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state for trial in trials)
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    durations = [trial.duration.total_seconds() for trial in trials if trial.state in DONE and trial.duration]
    best = study.best_trial if complete else None
    return Status(
        name=plan.name,
        recipe=plan.recipe_name,
        backend=plan.backends,
        objective=plan.objective,
        finished=states[TrialState.COMPLETE] + states[TrialState.PRUNED],
        pruned=states[TrialState.PRUNED],
        failed=states[TrialState.FAIL],
        running=len(running),
        orphaned=sum(not is_alive(trial.user_attrs.get(OWNER)) for trial in running),
        waiting=states[TrialState.WAITING],
        best={"trial": best.number, "value": best.value, "settings": best.params} if best else None,
        seconds_per_trial=sum(durations) / len(durations) if durations else None,
    )
