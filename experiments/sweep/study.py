"""A study: what it seeks, and in what. All that a worker needs to know is kept in the study itself."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import FloatDistribution

from experiments.errors import TandemError
from experiments.params import BackendName, Bounds, Params, PrunerName, Recipe, SamplerName
from experiments.sweep.space import Space

PLAN, PARENT = "plan", "mlflow_run_id"
Backends = Literal["lightning", "keras", "both"]
# A pruner compares a trial with those before it; this many are let run to their end first.
STARTUP_TRIALS = 5


@dataclass(frozen=True)
class Plan:
    """What a study is about; two sweeps of one name must have the same.

    `recipe` is the recipe's settings with the sweep's number of epochs. `dataset` is the fingerprint of the data.
    """

    name: str
    recipe_name: str
    recipe: dict[str, Any]
    backends: Backends
    space: dict[str, dict[str, Any]]
    objective: Literal["val/loss", "val/accuracy"]
    sampler: SamplerName
    pruner: PrunerName
    seed: int
    retries: int
    dataset: str

    @property
    def settings(self) -> Recipe:
        """The recipe that trials vary."""
        return Recipe.model_validate(self.recipe)

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """Which way is better."""
        return "minimize" if self.objective.endswith("loss") else "maximize"

    @property
    def members(self) -> tuple[BackendName, ...]:
        """The backends that train each trial."""
        return ("lightning", "keras") if self.backends == "both" else (self.backends,)

    def summary(self) -> dict[str, Any]:
        """Return what is worth logging as parameters."""
        flat = {
            key: getattr(self, key) for key in ("objective", "sampler", "pruner", "seed", "recipe_name", "backends")
        }
        return flat | {f"space.{name}": bounds for name, bounds in self.space.items()}

    def distributions(self) -> dict[str, FloatDistribution]:
        """Return Optuna's distributions of the settings that are sought."""
        return Space({name: Bounds(**bounds) for name, bounds in self.space.items()}, {}).distributions()


def make_plan(params: Params, *, recipe: str, backends: Backends, name: str | None, space: Space, dataset: str) -> Plan:
    """Return the plan of a sweep over a recipe, named after recipe and backend unless told otherwise."""
    sweep = params.sweep
    settings = params.recipe(recipe, asked_by="--recipe")
    changes = {"train_on": "train", "test_every_epoch": False, "epochs": sweep.epochs or settings.epochs}
    return Plan(
        name=name or f"{recipe}-{backends}",
        recipe_name=recipe,
        recipe=settings.model_copy(update=changes).model_dump(),
        backends=backends,
        space={setting: bounds.model_dump() for setting, bounds in space.bounds.items()},
        objective=sweep.objective,
        sampler=sweep.sampler,
        pruner="none" if backends == "both" else sweep.pruner,
        seed=sweep.seed,
        retries=sweep.retries,
        dataset=dataset,
    )


def open_study(storage: optuna.storages.BaseStorage, plan: Plan) -> optuna.Study:
    """Return the study of a plan, created with the recipe's own settings as its first trial if it is not there yet.

    Raises:
        TandemError: there is a study of that name with another plan.
    """
    names = optuna.study.get_all_study_names(storage)
    if plan.name in names:
        found = read_plan(load_study(storage, plan.name))
        _check_same(found, plan)
        return load_study(storage, plan.name)
    study = optuna.create_study(storage=storage, study_name=plan.name, direction=plan.direction)
    study.set_user_attr(PLAN, json.dumps(asdict(plan)))
    study.enqueue_trial({name: getattr(plan.settings, name) for name in plan.space})
    return study


def _check_same(found: Plan, asked: Plan) -> None:
    for key, value in asdict(asked).items():
        other = asdict(found)[key]
        if value != other:
            differ = [k for k in value if value[k] != other.get(k)] if isinstance(value, dict) else []
            place = f"{key}.{differ[0]}" if differ else key
            was, now = (other.get(differ[0]), value[differ[0]]) if differ else (other, value)
            raise TandemError(
                f"--name: expected a new name, since study {asked.name!r} was begun with {place} = {was}; "
                f"got {now}; take back the change, or give this sweep another --name"
            )


def load_study(storage: optuna.storages.BaseStorage, name: str, *, worker: int = 0) -> optuna.Study:
    """Return a study that is there, with the sampler and pruner of its plan.

    `worker` tells apart the random streams of processes that draw for one study.

    Raises:
        TandemError: there is no study of that name.
    """
    try:
        plan = read_plan(optuna.load_study(study_name=name, storage=storage))
    except KeyError:
        known = optuna.study.get_all_study_names(storage)
        raise TandemError(
            f"NAME: expected one of the studies {', '.join(known) or '(none yet)'}; got {name!r}"
        ) from None
    return optuna.load_study(
        study_name=name, storage=storage, sampler=make_sampler(plan, worker), pruner=make_pruner(plan)
    )


def read_plan(study: optuna.Study) -> Plan:
    """Return the plan of a study.

    Raises:
        TandemError: it is not one of this project's.
    """
    text = study.user_attrs.get(PLAN)
    if text is None:
        raise TandemError(f"NAME: expected a study made by `tandem sweep run`; got {study.study_name!r}")
    return Plan(**json.loads(text))


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
