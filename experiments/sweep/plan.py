"""The plan of a study: all that a worker needs to know, kept in the study itself.

Its search space: which of lr, dropout and momentum the recipe has, and their bounds.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial

from experiments.data.dataset import Dataset
from experiments.frameworks import takes_dropout
from experiments.settings.params import Bounds, Params, PrunerName, SamplerName
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.errors import TandemError
from experiments.training.code import code_digest

PLAN = "plan"
Backends = Literal["lightning", "keras", "both"]
# A study's name becomes part of a folder and of an MLflow tag.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def members_of(backends: Backends) -> tuple[BackendName, ...]:
    """Return the backends that train each trial."""
    return ("lightning", "keras") if backends == "both" else (backends,)


@dataclass(frozen=True)
class Plan:
    """The plan of a study; two sweeps of the same name must have the same.

    `recipe` is the recipe's settings with the sweep's number of epochs. `dataset` is the fingerprint of the data,
    `code` that of code and versions, for each backend.
    `confirms` names the study whose best trials this one trains again, with other seeds.
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
    code: dict[str, str]
    confirms: str | None = None

    @property
    def settings(self) -> Recipe:
        """The recipe that trials vary."""
        return Recipe.model_validate(self.recipe)

    @property
    def backends_of_trial(self) -> tuple[BackendName, ...]:
        """The backends that train each trial."""
        return members_of(self.backends)

    @property
    def command(self) -> str:
        """The command that resumes the study."""
        if self.confirms:
            return f"tandem sweep confirm {self.confirms}"
        return f"tandem sweep run --recipe {self.recipe_name} --backend {self.backends} --name {self.name}"

    @property
    def sign(self) -> int:
        """1 if lower values are better, else -1."""
        return 1 if self.objective.endswith("loss") else -1

    @property
    def own_settings(self) -> dict[str, float]:
        """The recipe's own settings of those in the space."""
        return {name: getattr(self.settings, name) for name in self.space}

    def is_own(self, trial: FrozenTrial) -> bool:
        """Return whether a trial has the recipe's own settings."""
        return trial.params == self.own_settings

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """The search space as Optuna has it."""
        return {name: FloatDistribution(**bounds) for name, bounds in self.space.items()}


@dataclass(frozen=True)
class Space:
    """The bounds of the settings to tune, and which settings of the default space the recipe lacks, and why."""

    bounds: Mapping[str, Bounds]
    left_out: Mapping[str, str]


def space_of(params: Params, name: str) -> Space:
    """Return the space of a recipe: from `sweep.recipe_spaces`, else what it has of `sweep.default_space`.

    Raises:
        TandemError: its space names a setting that it lacks, or its own settings lie outside the bounds.
    """
    recipe = params.recipe(name, asked_by="--recipe")
    lacks = _lacks(recipe)
    own = params.sweep.recipe_spaces.get(name)
    where = f"sweep.recipe_spaces.{name}" if own else "sweep.default_space"
    asked = (own or params.sweep.default_space).bounds
    for setting in asked:
        if own and setting in lacks:
            raise TandemError(
                f"params.yaml: {where}.{setting}: expected a setting that the recipe has; got {setting}: "
                f"{lacks[setting]}; remove it"
            )
    space = Space(
        {setting: bounds for setting, bounds in asked.items() if setting not in lacks},
        {setting: why for setting, why in lacks.items() if setting in asked},
    )
    for setting, bounds in space.bounds.items():
        value = getattr(recipe, setting)
        if not bounds.low <= value <= bounds.high:
            raise TandemError(
                f"params.yaml: {where}.{setting}: expected bounds around the recipe's own {value}, the first trial; "
                f"got {bounds.low} to {bounds.high}; widen them, or set sweep.recipe_spaces.{name}"
            )
    return space


def _lacks(recipe: Recipe) -> dict[str, str]:
    lacks = {}
    if recipe.optimiser != "sgd":
        lacks["momentum"] = f"{recipe.optimiser} has no momentum"
    if not takes_dropout(recipe.architecture):
        lacks["dropout"] = f"{recipe.architecture} has no dropout"
    return lacks


def make_plan(params: Params, *, recipe: str, backends: Backends, name: str | None, space: Space, dataset: str) -> Plan:
    """Return the plan of a sweep over a recipe, named after recipe and backend unless told otherwise.

    Raises:
        TandemError: the recipe doesn't exist, or the name can't be a folder's.
    """
    if name is not None and not NAME.fullmatch(name):
        raise TandemError(f"--name: expected lower-case letters, digits, '-' and '_'; got {name!r}")
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
        code={backend: code_digest(backend, settings.architecture) for backend in members_of(backends)},
    )


def check_data(plan: Plan, dataset: Dataset) -> None:
    """Refuse to resume with other data.

    Raises:
        TandemError: the prepared dataset is not the study's.
    """
    if dataset.fingerprint != plan.dataset:
        raise TandemError(
            f"prepared/: expected the data of study {plan.name!r}, {plan.dataset[:12]}; "
            f"got {dataset.fingerprint[:12]}; give the sweep another --name"
        )


def read_plan(study: optuna.Study) -> Plan:
    """Return the plan of a study.

    Raises:
        TandemError: `tandem sweep` didn't make it.
    """
    text = study.user_attrs.get(PLAN)
    if text is None:
        raise TandemError(f"NAME: expected a study made by `tandem sweep run`; got {study.study_name!r}")
    return Plan(**json.loads(text))
