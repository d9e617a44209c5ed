"""Settings of a recipe by name, such as `lr` or `options.filters`: which a sweep may tune, and recipes with others."""

import re
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from itertools import combinations
from typing import Any

from pydantic import BaseModel, ValidationError

from experiments.settings.recipe import Recipe

# Why a sweep tunes no such setting; all others may be.
REFUSED = {
    "architecture": "each architecture is a sweep of its own",
    "origin": "it trains nothing",
    "train_on": "trials are judged on validation images",
    "test_every_epoch": "a sweep never scores test images",
    "epochs": "all trials have as many: sweep.epochs, or --epochs",
    "early_stopping": "the pruner stops trials",
    "initialiser_exceptions": "it is a mapping of layers",
    "weights": "it is a file with a digest",
    "weights_sha256": "it is a file with a digest",
    "freeze": "it is a list",
}


def check_name(name: str) -> str:
    """Return the name of a setting that a sweep may tune; a pydantic validator.

    Raises:
        ValueError: a sweep tunes no such setting.
    """
    top = name.split(".")[0]
    if top in REFUSED:
        raise ValueError(f"a setting that a sweep can tune ({top}: {REFUSED[top]})")
    known = list(tunable())
    if name not in known and not (top == "options" and name.count(".") == 1 and "options.NAME" in known):
        raise ValueError(f"one of {', '.join(known)}")
    return name


def tunable() -> Iterator[str]:
    """Yield the names of the settings that a sweep may tune."""
    for name, field in Recipe.model_fields.items():
        if name in REFUSED:
            continue
        if name == "options":  # the architecture knows their names
            yield "options.NAME"
        elif sections := [each for each in _types(field.annotation) if issubclass(each, BaseModel)]:
            yield from dict.fromkeys(f"{name}.{key}" for section in sections for key in section.model_fields)
        else:
            yield name


def _types(annotation: Any) -> Iterator[type]:
    """Yield the classes that an annotation consists of."""
    if isinstance(annotation, type):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _types(part)


def get(recipe: Recipe, name: str) -> Any:
    """Return a setting; None where the recipe lacks it."""
    value: Any = recipe.model_dump()
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def is_default(recipe: Recipe, name: str) -> bool:
    """Return whether a recipe without the setting is the same."""
    content = recipe.model_dump()
    drop(content, name)
    try:
        return Recipe.model_validate(content) == recipe
    except ValidationError:
        return False


def put(content: MutableMapping[str, Any], name: str, value: object) -> None:
    """Set a setting in the content of a recipe."""
    *sections, key = name.split(".")
    for section in sections:
        if not isinstance(content.get(section), MutableMapping):
            content[section] = {}
        content = content[section]
    content[key] = value


def drop(content: MutableMapping[str, Any], name: str) -> None:
    """Remove a setting from the content of a recipe, if it is there."""
    *sections, key = name.split(".")
    for section in sections:
        content = content.get(section) or {}
    content.pop(key, None)


def with_settings(recipe: Recipe, settings: Mapping[str, object], *, spare: Collection[str] = ()) -> Recipe:
    """Return a recipe with other settings, without as few of `spare` as make it valid.

    Raises:
        ValidationError: it is no recipe.
    """
    content = recipe.model_dump()
    for name, value in settings.items():
        put(content, name, value)
    first: ValidationError | None = None
    for count in range(len(spare) + 1):
        for dropped in combinations(spare, count):
            left = {key: dict(value) if isinstance(value, dict) else value for key, value in content.items()}
            for name in dropped:
                drop(left, name)
            try:
                return Recipe.model_validate(left)
            except ValidationError as error:
                first = first or error
    raise first or AssertionError


def text_of(settings: Mapping[str, object]) -> str:
    """Return settings as a text."""
    return ", ".join(f"{name} {shown(value)}" for name, value in settings.items())


def shown(value: object) -> str:
    """Return a setting as tables show it: numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else "none" if value is None else str(value)


def cells(settings: Mapping[str, object], names: Iterable[str]) -> dict[str, str]:
    """Return what a table has of these settings; a dash where there is none."""
    return {name: shown(settings[name]) if name in settings else "–" for name in names}


def reason_of(error: ValidationError) -> str:
    """Return what is expected of a recipe that is none."""
    # What is there and wrong comes before what is missing beside it.
    problem = min(error.errors(), key=lambda each: each["type"] == "missing")
    if problem["type"] == "missing":
        return f"a value for {'.'.join(map(str, problem['loc']))}"
    return re.sub("^(Value error, |Input should be )", "", problem["msg"])


def is_of(error: ValidationError, name: str) -> bool:
    """Return whether an error is that of the setting's own value, not of how it goes with others."""
    return any(list(each["loc"][: name.count(".") + 1]) == name.split(".") for each in error.errors())


def takes_no_fraction(recipe: Recipe, name: str) -> bool:
    """Return whether a setting of a recipe is a whole number."""
    try:
        with_settings(recipe, {name: 1.5})
    except ValidationError as error:
        path = tuple(name.split("."))
        return any(each["type"].startswith("int_") and each["loc"] == path for each in error.errors())
    return False
