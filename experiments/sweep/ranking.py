"""The trials of a study from best to worst."""

from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.sweep.plan import Plan
from experiments.system.errors import TandemError


def ranked(study: optuna.Study, plan: Plan) -> list[FrozenTrial]:
    """Return the complete trials, the best first.

    Raises:
        TandemError: none is complete yet.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        raise TandemError(
            f"NAME: expected a study with complete trials; got {plan.name!r}, which has none yet; "
            "resume it with `tandem sweep run`"
        )
    return sorted(complete, key=lambda trial: better(plan) * _value(trial))


def better(plan: Plan) -> int:
    """Return 1 if lower values are better, else -1."""
    return 1 if plan.direction == "minimize" else -1


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None  # noqa: S101 - a complete trial has a value
    return trial.value


def is_own(trial: FrozenTrial, plan: Plan) -> bool:
    """Return whether a trial has the recipe's own settings."""
    return trial.params == {name: getattr(plan.settings, name) for name in plan.space}


def own_settings(trials: Sequence[FrozenTrial], plan: Plan) -> FrozenTrial | None:
    """Return the first trial with the recipe's own settings, if any."""
    return next((trial for trial in trials if is_own(trial, plan)), None)


def best_of(study: optuna.Study, plan: Plan) -> FrozenTrial | None:
    """Return the best trial; None if none is complete, or if the study confirms: then values are of different seeds."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return None if plan.confirms or not complete else study.best_trial


def summary(study: optuna.Study, plan: Plan) -> str:
    """Return a line about the best trial, if any."""
    best = best_of(study, plan)
    if best is None:
        return f"{study.study_name}: no trial is complete; all were pruned"
    settings = ", ".join(f"{key} {value:.4g}" for key, value in best.params.items())
    return f"{study.study_name}: best trial {best.number}: {best.value:.4f} with {settings}"
