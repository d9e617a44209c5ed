"""The search space of a recipe: what of params.yaml's applies to it, checked before anything is trained.

Whether a setting takes a value is asked of the recipe's own model: every combination of choices and bounds has to make
a valid recipe.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pydantic import ValidationError

from experiments.frameworks import check_architectures
from experiments.settings.params import Params
from experiments.settings.recipe import Recipe
from experiments.settings.space import Range
from experiments.settings.tuned import get, is_of, reason_of, with_settings
from experiments.sweep.drawing import own_settings
from experiments.sweep.valid import check_combinations
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
    finder = _Finder(params, name, recipe, where, own or params.sweep.default_space)
    space = finder.find()
    for setting, why in space.left_out.items():
        if own:
            expected = "expected a setting that the recipe has"
            raise TandemError(f"{where}.{setting}: {expected}; got {setting}: {why}; remove it")
    if not space.ranges:
        raise TandemError(f"{where}: expected a setting that {name} has; got {', '.join(space.left_out)}; add one")
    _check_own(space, where, name)
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


def _check_own(space: Space, where: str, name: str) -> None:
    own = own_settings(space.recipe, space.ranges)
    for setting, each in space.ranges.items():
        if setting in own and not each.has(own[setting]):
            kind = "choices with" if each.choices else "bounds around"
            got = ", ".join(map(str, each.choices)) if each.choices else f"{each.low} to {each.high}"
            raise TandemError(
                f"{where}.{setting}: expected {kind} the recipe's own {own[setting]}, the first trial; "
                f"got {got}; widen them, or set sweep.recipe_spaces.{name}"
            )


@dataclass(frozen=True)
class _Finder:
    """Finds what applies to a recipe."""

    params: Params
    name: str
    recipe: Recipe
    where: str
    asked: Mapping[str, Range]

    def find(self) -> Space:
        ranges: dict[str, Range] = {}
        left_out: dict[str, str] = {}
        for setting in self._in_order():
            each = self._typed(setting, self.asked[setting])
            try:
                ranges[setting] = self._conditioned(setting, each, ranges)
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

    def _typed(self, setting: str, each: Range) -> Range:
        """Return a range of integers where its numbers are whole and the setting takes no fraction."""
        if each.choices is not None or each.type or not each.is_whole:
            return each
        try:
            with_settings(self.recipe, {setting: float(each.low or 0) + 0.5})
            whole = setting.startswith("options.")
        except ValidationError as error:
            whole = error.errors()[0]["type"].startswith("int_")
        return each.model_copy(update={"type": "int"}) if whole else each

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

    def _check_has(self, setting: str, each: Range) -> None:
        """Make sure that a recipe can have the setting."""
        reasons = []
        for value in each.ends:
            try:
                made = with_settings(
                    self.recipe, {setting: value}, spare=[name for name in self.asked if name != setting]
                )
            except ValidationError as error:
                if each.when or is_of(error, setting):
                    return  # the combinations tell
                reasons.append(reason_of(error))
                continue
            if reason := self.suits(made):
                reasons.append(reason)
        if len(reasons) == len(each.ends):
            since = re.search(r"since ([^;(]+)", reasons[0])
            raise _Lacks(since[1].strip() if since else reasons[0])

    def suits(self, recipe: Recipe) -> str | None:
        """Return why the settings don't suit the architecture."""
        try:
            check_architectures(self.params.model_copy(update={"recipes": {self.name: recipe}}))
        except TandemError as error:
            return error.problem.removeprefix(f"params.yaml: recipes.{self.name}.")
        return None


class _Lacks(Exception):
    """A recipe can't have a setting."""
