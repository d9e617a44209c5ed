"""The search space: which of lr, dropout and momentum a recipe has, and their bounds."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.frameworks import takes_dropout
from experiments.settings.params import Bounds, Params
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError


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
