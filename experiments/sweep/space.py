"""The search space of a recipe: what of params.yaml's applies to it, checked before anything is trained.

Whether a setting takes a value is asked of the recipe's own model: every combination of choices and bounds has to make
a valid recipe.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from pydantic import ValidationError

from experiments.frameworks import check_architectures
from experiments.settings.params import Params
from experiments.settings.recipe import Recipe
from experiments.settings.space import Range
from experiments.settings.tuned import get, reason_of, takes_no_fraction, with_settings
from experiments.sweep.drawing import Settings, own_settings
from experiments.sweep.valid import MOST, check_combinations, corners_of, takes_no_such
from experiments.system.errors import TandemError

# What trials change of a recipe, besides the number of epochs.
OF_TRIALS = {"train_on": "train", "test_every_epoch": False}


@dataclass(frozen=True)
class Space:
    """The ranges of the settings to tune, and which settings of the standard space the recipe lacks, and why.

    `recipe` is what trials vary. A setting comes after those that its condition names.
    """

    recipe: Recipe
    ranges: Mapping[str, Range]
    left_out: Mapping[str, str]


def space_of(params: Params, name: str, epochs: int | None = None) -> Space:
    """Return the space of a recipe: from `sweep.recipe_spaces`, else what it has of `sweep.default_space`.

    Raises:
        TandemError: its space names a setting that it lacks, its own settings lie outside, or a combination of choices
            and bounds makes no valid recipe.
    """
    recipe = _of_trials(params, name, epochs)
    own = params.sweep.recipe_spaces.get(name)
    where = f"params.yaml: sweep.recipe_spaces.{name}" if own else "params.yaml: sweep.default_space"
    asked = {key: _typed(recipe, key, each) for key, each in (own or params.sweep.default_space).items()}
    finder = _Finder(params, name, recipe, where, asked)
    space = finder.find()
    for setting, why in space.left_out.items():
        if own:
            expected = "expected a setting that the recipe has"
            raise TandemError(f"{where}.{setting}: {expected}; got {setting}: {why}; remove it")
    if not space.ranges:
        raise TandemError(f"{where}: expected a setting that {name} has; got {', '.join(space.left_out)}; add one")
    check_combinations(space.recipe, space.ranges, where, finder.suits)
    return space


def _of_trials(params: Params, name: str, epochs: int | None) -> Recipe:
    recipe = params.recipe(name, asked_by="--recipe")
    epochs = epochs or params.sweep.epochs or recipe.epochs
    try:
        return with_settings(recipe, {**OF_TRIALS, "epochs": epochs})
    except ValidationError as error:
        reason = reason_of(error)
        raise TandemError(f"--epochs: expected a number that suits recipes.{name}; got {epochs}: {reason}") from None


@dataclass(frozen=True)
class _Finder:
    """Finds what applies to a recipe."""

    params: Params
    name: str
    recipe: Recipe
    where: str
    asked: Mapping[str, Range]

    def find(self) -> Space:
        """Return what applies."""
        ranges: dict[str, Range] = {}
        left_out: dict[str, str] = {}
        for setting in self._in_order():
            try:
                ranges[setting] = self._conditioned(setting, self.asked[setting], ranges)
                self._check_own(setting, ranges)
                self._check_has(setting, ranges[setting])
            except _Lacks as error:
                ranges.pop(setting, None)
                left_out[setting] = str(error)
        return Space(self.recipe, ranges, left_out)

    def _in_order(self) -> Sequence[str]:
        """Return the settings, each after those that its condition names; otherwise in their own order."""
        depends = {name: [each for each in self.asked[name].when if each in self.asked] for name in self.asked}
        try:
            return [*TopologicalSorter(depends).static_order()]
        except CycleError as error:
            circle = ", ".join(error.args[1])
            raise TandemError(f"{self.where}: expected conditions without a circle; got {circle}") from None

    def _conditioned(self, setting: str, each: Range, ranges: Mapping[str, Range]) -> Range:
        """Return a range with those of its conditions that depend on the trial."""
        left = {}
        for name, values in each.when.items():
            if name not in ranges:
                value = get(self.recipe, name)
                if value not in values:
                    raise _Lacks(f"{name} is {value} in all trials")
                continue
            choices = ranges[name].choices
            if choices is None or not set(values) <= set(choices):
                got = ", ".join(map(str, values))
                expected = f"some of the choices {', '.join(map(str, choices))}" if choices else "a setting of choices"
                raise TandemError(f"{self.where}.{setting}.when.{name}: expected {expected}; got {got}")
            left[name] = values
        return each.model_copy(update={"when": left})

    def _check_own(self, setting: str, ranges: Mapping[str, Range]) -> None:
        own, each = own_settings(self.recipe, ranges), ranges[setting]
        if setting in own and not each.has(own[setting]):
            kind = "choices with" if each.choices else "bounds around"
            got = ", ".join(map(str, each.choices)) if each.choices else f"{each.low} to {each.high}"
            raise TandemError(
                f"{self.where}.{setting}: expected {kind} the recipe's own {own[setting]}, the first trial; "
                f"got {got}; widen them, or set sweep.recipe_spaces.{self.name}"
            )

    def _check_has(self, setting: str, each: Range) -> None:
        """Make sure that a recipe can have the setting, by itself or with others that are searched."""
        if any(takes_no_such(self.recipe, setting, value) for value in each.ends):
            return  # the combinations tell
        reasons: list[str] = []
        recipes = self._recipes(setting, [{setting: value} for value in each.ends], reasons)
        if not recipes and not each.when:
            corners = (corner for corner in islice(corners_of(self.asked), MOST) if setting in corner)
            recipes = self._recipes(setting, corners, reasons)[:1]
            if not recipes:
                raise _Lacks(_shortened(reasons[0]))
        unsuited = [reason for recipe in recipes if (reason := self.suits(recipe))]
        if recipes and len(unsuited) == len(recipes):
            raise _Lacks(_shortened(unsuited[0]))

    def _recipes(self, setting: str, tried: Iterable[Settings], reasons: list[str]) -> list[Recipe]:
        """Return the recipes that these settings make, and note why others are none."""
        others, made = [name for name in self.asked if name != setting], []
        for settings in tried:
            try:
                made.append(with_settings(self.recipe, settings, spare=others))
            except ValidationError as error:
                reasons.append(reason_of(error))
        return made

    def suits(self, recipe: Recipe) -> str | None:
        """Return why the settings don't suit the architecture."""
        try:
            check_architectures(self.params.model_copy(update={"recipes": {self.name: recipe}}))
        except TandemError as error:
            return error.problem.removeprefix(f"params.yaml: recipes.{self.name}.")
        return None


class _Lacks(Exception):
    """A recipe can't have a setting."""


def _shortened(reason: str) -> str:
    """Return why: what follows "since", without what to do about it."""
    since = re.search(r"since ([^;(]+)", reason)
    return since[1].strip() if since else reason.rsplit("; ", 1)[0]


def _typed(recipe: Recipe, setting: str, each: Range) -> Range:
    """Return a range of integers where its numbers are whole and the setting takes no fraction."""
    if each.choices is not None or each.type or not each.is_whole:
        return each
    whole = setting.startswith("options.") or takes_no_fraction(recipe, setting)
    return each.model_copy(update={"type": "int"}) if whole else each
