"""The plan of a study: all that a worker needs to know, kept in the study itself."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from experiments.data.dataset import Dataset
from experiments.settings.params import Params, PrunerName, SamplerName
from experiments.settings.recipe import BackendName, Recipe
from experiments.settings.space import Range
from experiments.sweep.drawing import distribution, own_settings
from experiments.sweep.space import Space
from experiments.sweep.valid import recipe_of
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
        options = f"--backend {self.backends} --epochs {self.recipe['epochs']} --name {self.name}"
        return f"tandem sweep run --recipe {self.recipe_name} {options}"

    @property
    def sign(self) -> int:
        """1 if lower values are better, else -1."""
        return 1 if self.objective.endswith("loss") else -1

    @cached_property
    def ranges(self) -> dict[str, Range]:
        """The search space; a setting comes after those that its condition names."""
        return {name: Range.model_validate(each) for name, each in self.space.items()}

    @cached_property
    def own_settings(self) -> dict[str, Any]:
        """The recipe's own settings of those in the space, without those that it lacks."""
        return own_settings(self.settings, self.ranges)

    def is_own(self, trial: FrozenTrial) -> bool:
        """Return whether a trial has the recipe's own settings."""
        return trial.params == self.own_settings

    def recipe_of(self, settings: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a trial with these settings."""
        return recipe_of(self.settings, self.ranges, settings)

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """The search space as Optuna has it."""
        return {name: distribution(each) for name, each in self.ranges.items()}


def make_plan(params: Params, *, recipe: str, backends: Backends, name: str | None, space: Space, dataset: str) -> Plan:
    """Return the plan of a sweep over a recipe, named after recipe and backend unless told otherwise.

    Raises:
        TandemError: the name can't be a folder's.
    """
    if name is not None and not NAME.fullmatch(name):
        raise TandemError(f"--name: expected lower-case letters, digits, '-' and '_'; got {name!r}")
    sweep = params.sweep
    return Plan(
        name=name or f"{recipe}-{backends}",
        recipe_name=recipe,
        recipe=space.recipe.model_dump(),
        backends=backends,
        space={setting: each.to_plan() for setting, each in space.ranges.items()},
        objective=sweep.objective,
        sampler=sweep.sampler,
        pruner="none" if backends == "both" else sweep.pruner,
        seed=sweep.seed,
        retries=sweep.retries,
        dataset=dataset,
        code={backend: code_digest(backend, space.recipe.architecture) for backend in members_of(backends)},
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
