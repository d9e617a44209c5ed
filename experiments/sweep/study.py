"""Studies in the storage: created, loaded with their samplers and pruners, and checked against their plans."""

import json
import uuid
from dataclasses import asdict
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.settings.tuned import text_of
from experiments.sweep.drawing import enqueue
from experiments.sweep.plan import PLAN, Plan, read_plan
from experiments.sweep.samplers import make_pruner, make_sampler
from experiments.sweep.trials import has_diverged
from experiments.system.errors import TandemError

# The MLflow run of a study, and what tells the study from one of the same name in another database.
PARENT, IDENTITY = "mlflow_run_id", "identity"


def open_study(storage: optuna.storages.BaseStorage, plan: Plan) -> optuna.Study:
    """Return the study of a plan, created with the recipe's own settings as its first trial if it is new.

    It has the sampler and pruner of the plan.

    Raises:
        TandemError: a study of that name has another plan.
    """
    direction: Literal["minimize", "maximize"] = "minimize" if plan.sign == 1 else "maximize"
    study = optuna.create_study(storage=storage, study_name=plan.name, direction=direction, load_if_exists=True)
    if PLAN in study.user_attrs:
        _check_same(read_plan(study), plan)
        return _with_sampler(study, plan)
    # New, or left by a process that was killed right here: the plan is written last.
    known = study.get_trials(deepcopy=False)
    if any(trial.state != TrialState.WAITING for trial in known):
        raise TandemError(
            f"--name: expected a study of `tandem sweep`, or a new name; got {plan.name!r}, one of others"
        )
    if not known and plan.confirms is None:
        enqueue(study, plan.own_settings)
    study.set_user_attr(IDENTITY, uuid.uuid4().hex)
    study.set_user_attr(PLAN, json.dumps(asdict(plan)))
    return _with_sampler(study, plan)


def _with_sampler(study: optuna.Study, plan: Plan) -> optuna.Study:
    # A sweep that is resumed draws on, instead of the same points again.
    study.sampler = make_sampler(plan, drawn=len(study.get_trials(deepcopy=False)))
    study.pruner = make_pruner(plan)
    return study


def _check_same(known: Plan, asked: Plan) -> None:
    for key, value in asdict(asked).items():
        other = asdict(known)[key]
        if value != other:
            differ = [k for k in {**value, **other} if value.get(k) != other.get(k)] if isinstance(value, dict) else []
            place = f"{key}.{differ[0]}" if differ else key
            was, now = (other.get(differ[0]), value.get(differ[0])) if differ else (other, value)
            raise TandemError(
                f"--name: expected a new name, since study {asked.name!r} was begun with {place} = {was}; "
                f"got {now}; revert the change, or give this sweep another --name"
            )


def load_study(storage: optuna.storages.BaseStorage, name: str) -> optuna.Study:
    """Return an existing study, with the sampler and pruner of its plan.

    Raises:
        TandemError: no study has that name.
    """
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        known = optuna.study.get_all_study_names(storage)
        raise TandemError(
            f"NAME: expected one of the studies {', '.join(known) or '(none yet)'}; got {name!r}"
        ) from None
    return _with_sampler(study, read_plan(study))


def load_sweep(storage: optuna.storages.BaseStorage, name: str) -> tuple[optuna.Study, Plan]:
    """Return a study and its plan.

    Raises:
        TandemError: it doesn't exist, or is a confirmation.
    """
    study = load_study(storage, name)
    plan = read_plan(study)
    if plan.confirms:
        raise TandemError(f"NAME: expected a sweep; got {name!r}, the confirmation of {plan.confirms!r}: name that")
    return study, plan


def load_studies(storage: optuna.storages.BaseStorage, name: str | None) -> list[tuple[optuna.Study, Plan]]:
    """Return the study of that name, or all that were made here, with their plans; a database may hold others too.

    Raises:
        TandemError: no study has that name.
    """
    loaded = [
        load_study(storage, each)
        for each in ([name] if name else optuna.study.get_all_study_names(storage))
        if name or PLAN in optuna.load_study(study_name=each, storage=storage).user_attrs
    ]
    return [(study, read_plan(study)) for study in loaded]


def ranked(study: optuna.Study, plan: Plan) -> list[FrozenTrial]:
    """Return the complete trials, the best first.

    Raises:
        TandemError: none is complete yet.
    """
    trials = complete(study)
    if not trials:
        raise TandemError(
            f"NAME: expected a study with complete trials; got {plan.name!r}, which has none yet; "
            "resume it with `tandem sweep run`"
        )
    return sorted(trials, key=lambda trial: plan.sign * float(trial.value or 0))


def best_of(study: optuna.Study, plan: Plan) -> FrozenTrial | None:
    """Return the best trial; None if none is complete, or if the study confirms: then values are of different seeds."""
    good = complete(study)
    return None if plan.confirms or not good else min(good, key=lambda trial: plan.sign * float(trial.value or 0))


def complete(study: optuna.Study) -> list[FrozenTrial]:
    """Return the complete trials, without those that have diverged."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [trial for trial in trials if not has_diverged(trial)]


def summary(study: optuna.Study) -> str:
    """Return a line about the best trial, if any."""
    best = best_of(study, read_plan(study))
    if best is None:
        return f"{study.study_name}: no trial is complete; all were pruned, or have diverged"
    settings = text_of(best.params)
    return f"{study.study_name}: best trial {best.number}: {best.value:.4f} with {settings}"
