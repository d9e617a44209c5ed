"""The samplers and pruners that params.yaml can name, and what each can't search."""

from collections.abc import Callable

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from experiments.settings.params import PrunerName, SamplerName
from experiments.sweep.plan import Plan
from experiments.system.errors import TandemError

# A pruner compares a trial with those before it; this many are let run to their end first.
STARTUP_TRIALS = 5


def check_sampler(plan: Plan) -> None:
    """Refuse a space that the sampler can't search, and would partly draw at random.

    Raises:
        TandemError: naming the setting, and the samplers that can.
    """
    choices = [name for name, each in plan.ranges.items() if each.choices is not None]
    if plan.sampler == "cmaes" and choices:
        raise TandemError(
            f"params.yaml: sweep.sampler: expected tpe, random, qmc or gp, since {choices[0]} is searched among "
            "choices; got cmaes, which searches numbers alone"
        )
    own = plan.own_settings
    partial = [name for name, each in plan.ranges.items() if each.when or name not in own]
    if plan.sampler in ("cmaes", "gp") and partial:
        why = "has a condition" if plan.ranges[partial[0]].when else "is missing in the recipe, the first trial"
        raise TandemError(
            f"params.yaml: sweep.sampler: expected tpe, random or qmc, since {partial[0]} {why}; "
            f"got {plan.sampler}, which needs every setting in every trial"
        )


class PlannedTPE(optuna.samplers.TPESampler):
    """TPE that is told its space: Optuna's compares the distributions of all trials, for every draw.

    Settings without a condition are drawn together; those with one, each by itself, from the trials that have it.
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        super().__init__(seed=seed)
        self.space = {name: each for name, each in sorted(plan.distributions.items()) if not plan.ranges[name].when}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the space."""
        return self.space


class PlannedQMC(optuna.samplers.QMCSampler):
    """QMC over the whole space, where Optuna's takes the first trial's: what a trial doesn't have isn't used."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(seed=plan.seed, scramble=True)
        self.space = plan.distributions

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the space; nothing for the first trial, which isn't drawn."""
        return self.space if trial.number else {}


def make_sampler(plan: Plan, *, drawn: int = 0) -> optuna.samplers.BaseSampler:
    """Return the sampler of a study that has `drawn` trials already: what it draws depends on that number."""
    seed = plan.seed + 1000 * drawn
    makers: dict[SamplerName, Callable[[], optuna.samplers.BaseSampler]] = {
        "tpe": lambda: PlannedTPE(plan, seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        # QMC's points are one sequence, numbered in the storage.
        "qmc": lambda: PlannedQMC(plan),
        "cmaes": lambda: optuna.samplers.CmaEsSampler(seed=seed),
        "gp": lambda: optuna.samplers.GPSampler(seed=seed),
    }
    return makers[plan.sampler]()


def make_pruner(plan: Plan) -> optuna.pruners.BasePruner:
    """Return the pruner."""
    makers: dict[PrunerName, Callable[[], optuna.pruners.BasePruner]] = {
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
        "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(),
        "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=plan.settings.epochs),
        "none": lambda: optuna.pruners.NopPruner(),
    }
    return makers[plan.pruner]()
