"""Studies in the storage: created, loaded with their samplers and pruners, and checked against their plans."""

import json
import uuid
import zlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from experiments.settings.params import PrunerName, SamplerName
from experiments.sweep.plan import PLAN, Plan, read_plan
from experiments.sweep.trials import has_diverged
from experiments.system.errors import TandemError

# The MLflow run of a study, and what tells the study from one of the same name in another database.
PARENT, IDENTITY = "mlflow_run_id", "identity"
# A pruner compares a trial with those before it; this many are let run to their end first.
STARTUP_TRIALS = 5


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
        study.enqueue_trial(plan.own_settings)
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
            differ = [k for k in value if value[k] != other.get(k)] if isinstance(value, dict) else []
            place = f"{key}.{differ[0]}" if differ else key
            was, now = (other.get(differ[0]), value[differ[0]]) if differ else (other, value)
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
    settings = ", ".join(f"{key} {value:.4g}" for key, value in best.params.items())
    return f"{study.study_name}: best trial {best.number}: {best.value:.4f} with {settings}"


class EachByItself(optuna.samplers.PartialFixedSampler):
    """Samplers draw settings one by one until they have learnt to draw them together; here, none depends on the others.

    A controller that is killed between two of them leaves a trial that has the first: the rest is drawn as it would
    have been.
    """

    def __init__(self, sampler: optuna.samplers.BaseSampler, seed: int) -> None:
        super().__init__({}, sampler)
        self.sampler, self.seed = sampler, seed

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return a random value."""
        random = optuna.samplers.RandomSampler(zlib.crc32(f"{self.seed} {trial.number} {param_name}".encode()))
        return random.sample_independent(study, trial, param_name, param_distribution)


def make_sampler(plan: Plan, *, drawn: int = 0) -> EachByItself:
    """Return the sampler of a study that has `drawn` trials already: what it draws depends on that number."""
    seed = plan.seed + 1000 * drawn
    makers: dict[SamplerName, Callable[[], optuna.samplers.BaseSampler]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        # QMC's points are one sequence, numbered in the storage.
        "qmc": lambda: optuna.samplers.QMCSampler(seed=plan.seed, scramble=True),
        "cmaes": lambda: optuna.samplers.CmaEsSampler(seed=seed),
        "gp": lambda: optuna.samplers.GPSampler(seed=seed),
    }
    return EachByItself(makers[plan.sampler](), plan.seed)


def make_pruner(plan: Plan) -> optuna.pruners.BasePruner:
    """Return the pruner."""
    makers: dict[PrunerName, Callable[[], optuna.pruners.BasePruner]] = {
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
        "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(),
        "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=plan.settings.epochs),
        "none": lambda: optuna.pruners.NopPruner(),
    }
    return makers[plan.pruner]()
