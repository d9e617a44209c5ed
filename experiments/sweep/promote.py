"""The confirmed winner becomes a recipe in params.yaml (`tandem sweep promote`)."""

import copy
from collections.abc import MutableMapping
from typing import Any

from experiments.reports.intervals import interval
from experiments.settings.edit import edit_params
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.settings.recipe import Recipe
from experiments.settings.tuned import drop, get, put
from experiments.sweep.confirm import choose_confirmation
from experiments.sweep.confirmation import Confirmation
from experiments.sweep.storage import connect
from experiments.system.errors import TandemError

SUFFIX = "-tuned"
# A sweep has its own epochs, and holds the validation images out.
SWEEPS_OWN = ("epochs", "train_on", "test_every_epoch")


def promote(
    project: Project, name: str, label: str | None = None, *, anyway: bool = False, keep_split: bool = False
) -> tuple[Confirmation, str]:
    """Write the winner of a study's confirmation to params.yaml, and let `dvc repro` train it beside the original.

    `label` names a confirmation; None: the newest complete one. `anyway`: although nothing is proven. `keep_split`:
    train on what the original trains on, instead of what the sweep's trials did. Return the confirmation, and the
    unified diff of params.yaml.

    Raises:
        TandemError: the study or its confirmation doesn't exist, the recipe's own settings have won, nothing is proven,
            the recipe has changed since, or a recipe of the new name was written by hand.
    """
    confirmation = choose_confirmation(connect(project), name, label)
    _check_winner(confirmation, anyway=anyway)

    def change(params: Params, content: MutableMapping[str, Any]) -> None:
        _check_recipes(params, confirmation)
        add_recipe(content, confirmation, keep_split=keep_split)

    return confirmation, edit_params(project, change)


def _check_winner(confirmation: Confirmation, *, anyway: bool) -> None:
    plan, winner = confirmation.plan, confirmation.winner
    if winner not in confirmation.complete:
        raise TandemError(
            f"NAME: expected a winner with all of its seeds; got trial {winner.trial}, which failed; "
            f"run more trials of {plan.name!r}, and confirm again"
        )
    if winner.own:
        raise TandemError(
            f"NAME: expected a winner other than the recipe's own settings; got those: nothing in {plan.name!r} "
            f"is better with fresh seeds; run more trials, or leave recipes.{plan.recipe_name} as it is"
        )
    if (doubts := confirmation.doubts()) and not anyway:
        raise TandemError(
            f"NAME: expected a winner that is told apart from the recipe's own settings and from the second; got trial "
            f"{winner.trial}: {'; '.join(doubts)}; confirm with more --seeds, or promote it --anyway"
        )


def _check_recipes(params: Params, confirmation: Confirmation) -> None:
    plan = confirmation.plan
    now = params.recipe(plan.recipe_name).model_dump()
    for key, value in plan.recipe.items():
        if key not in SWEEPS_OWN and now[key] != value:
            raise TandemError(
                f"params.yaml: recipes.{plan.recipe_name}.{key}: expected {value}, as when the sweep began; "
                f"got {now[key]}; restore it, or sweep again under another --name"
            )
    tuned = params.recipes.get(plan.recipe_name + SUFFIX)
    if tuned is not None and tuned.origin is None:
        raise TandemError(
            f"params.yaml: recipes.{plan.recipe_name}{SUFFIX}: expected none, or one that a promotion wrote (with "
            "`origin`); got one written by hand; rename it"
        )


def add_recipe(content: MutableMapping[str, Any], confirmation: Confirmation, *, keep_split: bool) -> None:
    """Add the winner to the content of params.yaml, as a recipe after the original and in `train.recipes`."""
    plan, recipes = confirmation.plan, content["recipes"]
    name = plan.recipe_name + SUFFIX
    recipe = copy.deepcopy(recipes[plan.recipe_name])
    recipe.ca.comment = None
    _set_settings(recipe, confirmation)
    if not keep_split:  # else the test set alone could tell it from the original
        recipe |= {key: plan.recipe[key] for key in ("train_on", "test_every_epoch") if key in recipe}
    origin = f"study {plan.name}, trial {confirmation.winner.trial}"
    spread = interval(list(confirmation.winner.values.values()))
    comment = (
        f"{plan.objective} {spread.mean:.4f} ± {spread.half:.4f} after {confirmation.epochs} epoch(s), "
        f"seeds {confirmation.seeds[0]} to {confirmation.seeds[-1]}"
    )
    recipe.insert(1, "origin", origin, comment=comment)
    _put_after(recipes, plan.recipe_name, name, recipe)
    listed = content["train"]["recipes"]
    listed.extend(each for each in (plan.recipe_name, name) if each not in listed)


def _set_settings(recipe: Any, confirmation: Confirmation) -> None:
    """Give a recipe the winner's settings, without those that don't go with them, such as a momentum with Adam."""
    plan, settings = confirmation.plan, confirmation.winner.settings
    tuned = plan.recipe_of(settings)
    for name in plan.ranges:
        if get(tuned, name) is None and name not in settings:
            drop(recipe, name)
    for name, value in settings.items():
        section = name.split(".")[0]
        if section not in recipe:  # not at the end: an empty line belongs to the last key
            later = [*Recipe.model_fields][[*Recipe.model_fields].index(section) :]
            place = next(place for place, key in enumerate(recipe) if key in later)
            recipe.insert(place, section, None)
        put(recipe, name, value)


def _put_after(recipes: Any, original: str, name: str, recipe: Any) -> None:
    if name in recipes:
        recipes[name] = recipe
        return
    last = list(recipes)[-1] == original
    recipes.insert(list(recipes).index(original) + 1, name, recipe)
    if last:  # an empty line belongs to what is before it, and there is none at the end of the file
        recipes.yaml_set_comment_before_after_key(name, before="\n")
