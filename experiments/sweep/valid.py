"""Whether every combination of a search space makes a valid recipe."""

from collections.abc import Callable, Iterator
from itertools import combinations, islice
from typing import Any

from pydantic import ValidationError

from experiments.settings.recipe import Recipe
from experiments.settings.space import Range
from experiments.settings.tuned import is_of, reason_of, with_settings
from experiments.sweep.drawing import Ranges, Settings, holds
from experiments.system.errors import TandemError

# So many are checked in seconds.
MOST = 50_000


Suits = Callable[[Recipe], str | None]


def check_combinations(recipe: Recipe, ranges: Ranges, where: str, suits: Suits) -> None:
    """Refuse a space if a combination of its choices and bounds makes no valid recipe.

    `suits` returns why a recipe doesn't suit its architecture; it is asked once for each choice and bound.

    Raises:
        TandemError: naming `where`, the setting or settings, and the reason.
    """
    corners = [*islice(corners_of(ranges), MOST + 1)]
    if len(corners) > MOST:
        raise TandemError(f"{where}: expected at most {MOST} combinations of choices and bounds; narrow it")
    seen: set[tuple[str, Any]] = set()
    for corner in corners:
        known = seen >= corner.items()
        seen |= corner.items()
        if _why_not(recipe, ranges, corner, (lambda _: None) if known else suits):
            raise _refusal(recipe, ranges, corner, where, suits)


def _why_not(recipe: Recipe, ranges: Ranges, settings: Settings, suits: Suits) -> str | None:
    try:
        return suits(recipe_of(recipe, ranges, settings))
    except ValidationError as error:
        return reason_of(error)


def _refusal(recipe: Recipe, ranges: Ranges, corner: Settings, where: str, suits: Suits) -> TandemError:
    """Return the error of a combination, with the fewest of its settings that have it."""
    reason = _why_not(recipe, ranges, corner, suits)
    subsets = (dict(each) for count in range(1, len(corner) + 1) for each in combinations(corner.items(), count))
    chosen = next(each for each in subsets if _why_not(recipe, ranges, each, suits) == reason)
    (name, value), *others = chosen.items()
    got = " with ".join([str(value), *(f"{other} {each}" for other, each in others)])
    if not others and takes_no_such(recipe, name, value):
        return TandemError(f"{where}.{name}: expected {reason}; got {got}")
    return TandemError(
        f"{where}.{name}: expected a valid recipe with every choice and bound; got {got}: {reason}; "
        "search what depends on it too, with a condition (`when`), or leave it out"
    )


def takes_no_such(recipe: Recipe, name: str, value: object) -> bool:
    """Return whether a setting takes no such value, whatever the others are."""
    try:
        with_settings(recipe, {name: value})
    except ValidationError as error:
        return is_of(error, name)
    return False


def corners_of(ranges: Ranges) -> Iterator[dict[str, Any]]:
    """Yield every combination of choices and bounds."""
    yield from _corners([*ranges.items()], {})


def _corners(left: list[tuple[str, Range]], settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not left:
        yield settings
        return
    (name, each), *others = left
    for changes in [{name: value} for value in each.ends] if holds(each, settings) else [{}]:
        yield from _corners(others, settings | changes)


def recipe_of(recipe: Recipe, ranges: Ranges, settings: Settings) -> Recipe:
    """Return the recipe of a trial: as it is where it isn't searched, without what doesn't go with the settings.

    Raises:
        ValidationError: it is none.
    """
    return with_settings(recipe, settings, spare=[name for name in ranges if name not in settings])
