"""What the page of all runs shows of a sweep: sweep.json, which `tandem sweep report` leaves."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.reports.made_from import MadeFrom
from experiments.settings.recipe import BackendName
from experiments.sweep import trials
from experiments.sweep.importance import importance
from experiments.sweep.plan import Plan
from experiments.sweep.repeats import REPEATS


def to_json(study: optuna.Study, plan: Plan, origin: MadeFrom) -> dict[str, Any]:
    """Return the space, every trial, the importance of each setting, and what it is made from."""
    return {
        "name": plan.name,
        "recipe": plan.recipe_name,
        "backend": plan.backends,
        "backends": list(paired(plan)),
        "objective": plan.objective,
        "epochs": plan.settings.epochs,
        "space": plan.space,
        "trials": [_trial(plan, trial) for trial in study.get_trials(deepcopy=False)],
        "importance": importance(study, plan.ranges),
        "made_from": asdict(origin),
    }


def paired(plan: Plan) -> Sequence[BackendName]:
    """Return the two backends of a sweep of pairs; nothing for another one."""
    return plan.backends_of_trial if plan.backends == "both" else ()


def _repeated(trial: FrozenTrial) -> str:
    return f"settings of trial {trial.user_attrs[REPEATS]}, not trained again" if REPEATS in trial.user_attrs else ""


def _trial(plan: Plan, trial: FrozenTrial) -> dict[str, Any]:
    """Return a trial; its value is None if it diverged, and the last one before it was pruned."""
    of = {backend: result.value for backend, result in trials.results(trial, paired(plan)).items()}
    value = trial.value if trial.value is not None and math.isfinite(trial.value) else None
    if trial.state == TrialState.PRUNED and value is None and trial.intermediate_values:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    return {
        "trial": trial.number,
        "state": trial.state.name,
        "params": trial.params,
        "value": value,
        "of": {backend: each for backend, each in of.items() if math.isfinite(each)},
        "own": plan.is_own(trial),
        "reason": str(trial.user_attrs.get(trials.REASON, _repeated(trial))),
    }
