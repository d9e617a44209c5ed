"""Optuna's samplers and pruners, by the names that params.yaml gives them."""

from collections.abc import Callable

import optuna

from experiments.settings.params import PrunerName, SamplerName
from experiments.sweep.plan import Plan

# A pruner compares a trial with those before it; this many are let run to their end first.
STARTUP_TRIALS = 5


def make_sampler(plan: Plan, worker: int) -> optuna.samplers.BaseSampler:
    """Return the sampler; every worker draws from a stream of its own."""
    seed = plan.seed + 1000 * worker
    makers: dict[SamplerName, Callable[[], optuna.samplers.BaseSampler]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        # QMC's points are one sequence that all workers share, numbered in the storage.
        "qmc": lambda: optuna.samplers.QMCSampler(seed=plan.seed, scramble=True),
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
