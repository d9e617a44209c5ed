"""params.yaml as frozen, validated objects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from experiments.settings.recipe import BackendName, Count, Name, Recipe, Section, Seed
from experiments.system.errors import TandemError

Item = TypeVar("Item")


def _no_repeats(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len(set(items)) < len(items):
        raise ValueError("a list without repeats")
    return items


class Data(Section):
    """Where the dataset comes from."""

    mirrors: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    timeout_seconds: Annotated[float, Field(gt=0, le=60)]
    retries: Annotated[int, Field(ge=0, le=10)]
    offline_fallback: Literal["digits"] | None

    @field_validator("mirrors")
    @classmethod
    def _are_urls(cls, mirrors: tuple[str, ...]) -> tuple[str, ...]:
        for mirror in mirrors:
            if not mirror.startswith(("https://", "http://")):
                raise ValueError("addresses that begin with https:// or http://")
        return _no_repeats(mirrors)


class Preprocess(Section):
    """How the training images are split."""

    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    seed: Seed


class Train(Section):
    """Which trainings `dvc repro` runs, and on what."""

    recipes: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
    backends: Annotated[tuple[BackendName, ...], Field(strict=False, min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, min_length=1)]
    device: Literal["auto", "cpu", "gpu"]
    threads: Count | Literal["auto"]
    log_every_steps: Count

    _unique = field_validator("recipes", "backends", "seeds")(_no_repeats)


SamplerName = Literal["tpe", "random", "qmc", "cmaes", "gp"]
PrunerName = Literal["median", "halving", "hyperband", "none"]
Sought = Literal["lr", "dropout", "momentum"]


class Bounds(Section):
    """Between what a setting is sought, both ends included; `log`: as its logarithm."""

    low: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    high: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    log: bool = False

    @model_validator(mode="after")
    def _are_bounds(self) -> "Bounds":
        if self.low >= self.high:
            raise ValueError("low below high")
        if self.log and self.low == 0:
            raise ValueError("low above 0, since log is true")
        return self


class SearchSpace(Section):
    """The settings that are sought; those that are left out stay as the recipe has them."""

    lr: Bounds | None = None
    dropout: Bounds | None = None
    momentum: Bounds | None = None

    @model_validator(mode="after")
    def _makes_recipes(self) -> "SearchSpace":
        if not self.bounds:
            raise ValueError("bounds for one setting at least")
        if self.lr is not None and self.lr.low == 0:
            raise ValueError("lr.low above 0")
        for name in ("dropout", "momentum"):
            bounds = getattr(self, name)
            if bounds is not None and bounds.high >= 1:
                raise ValueError(f"{name}.high below 1")
        return self

    @property
    def bounds(self) -> dict[str, Bounds]:
        """The bounds that there are, by setting."""
        return {name: getattr(self, name) for name in type(self).model_fields if getattr(self, name) is not None}


class Sweep(Section):
    """How recipes are tuned."""

    trials: Count
    epochs: Count | None = None
    objective: Literal["val/loss", "val/accuracy"]
    sampler: SamplerName
    pruner: PrunerName
    seed: Seed
    retries: Annotated[int, Field(ge=0, le=100)]
    gpus_per_worker: Annotated[float, Field(gt=0, le=1)] = 1.0
    default_space: SearchSpace
    recipe_spaces: dict[Name, SearchSpace] = {}  # noqa: RUF012 - pydantic copies defaults


class Params(Section):
    """The whole of params.yaml."""

    data: Data
    preprocess: Preprocess
    train: Train
    sweep: Sweep
    recipes: dict[Name, Recipe]

    @model_validator(mode="after")
    def _recipes_exist(self) -> "Params":
        for name in self.train.recipes:
            self.recipe(name, asked_by="train.recipes")
        for name in self.sweep.recipe_spaces:
            self.recipe(name, asked_by="sweep.recipe_spaces")
        return self

    def recipe(self, name: str, asked_by: str = "recipes") -> Recipe:
        """Return the recipe of that name.

        Raises:
            TandemError: there is none; the message names `asked_by`, the setting that asks for it.
        """
        if name not in self.recipes:
            known = ", ".join(sorted(self.recipes))
            raise TandemError(f"params.yaml: {asked_by}: expected one of the recipes {known}; got {name!r}")
        return self.recipes[name]


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        TandemError: the file is missing, is no YAML, or holds something else than it should; the message
            names the first key that is wrong, what was expected there and what was found.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise TandemError(f"{path}: no such file; restore it with `git checkout params.yaml`") from None
    except UnicodeDecodeError as error:
        raise TandemError(f"params.yaml: expected YAML; {' '.join(str(error).split())}") from None
    return parse_params(text)


def parse_params(text: str) -> Params:
    """Check the text of params.yaml.

    Raises:
        TandemError: as `load_params`.
    """
    try:
        raw = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise TandemError(f"params.yaml: expected YAML; {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise TandemError(f"params.yaml: expected the sections {', '.join(Params.model_fields)}; got {raw!r}")
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise TandemError(_one_line(raw, error)) from None


def _one_line(raw: Mapping[str, Any], error: ValidationError) -> str:
    places: dict[str, list[Any]] = {}
    # A misspelt key is two errors, one unknown and one missing: speak of the first.
    for one in sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden"):
        places.setdefault(".".join(map(str, _place(raw, one))) or "the file", []).append(one)
    where, found_here = next(iter(places.items()))
    # A union (`threads: 2` or `auto`) is an error for each member: the expectation is either.
    expected = " or ".join(dict.fromkeys(_expectation(raw, one) for one in found_here))
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    return f"params.yaml: {where}: expected {expected}; got {_found(found_here[0])}{more}"


def _place(raw: Mapping[str, Any], error: Any) -> list[int | str]:
    # pydantic adds the names of a union's members, and "[key]", to the place of an error: these aren't in the file.
    place = [part for part in error["loc"] if part != "[key]"]
    while error["type"] != "missing" and not _exists(raw, place):
        place.pop()
    return place


def _found(error: Any) -> str:
    if error["type"] == "missing":
        return "nothing"
    if error["type"] == "extra_forbidden":
        return "an unknown key"
    text = repr(error["input"])
    return text if len(text) <= 80 else text[:77] + "..."


def _exists(raw: Any, place: Sequence[int | str]) -> bool:
    for step in place:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


_WORDS = {
    "string_pattern_mismatch": "a name of lower-case letters, digits, '-' and '_'",
    "tuple_type": "a list",
    "too_short": "a list of at least one item",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "none_required": "null",
}


def _expectation(raw: Mapping[str, Any], error: Any) -> str:
    if error["type"] == "missing":
        return "a value for this key"
    if error["type"] == "extra_forbidden":
        return f"one of {', '.join(_section(_place(raw, error)[:-1]).model_fields)}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return _WORDS.get(error["type"], str(message))


def _section(place: Sequence[int | str]) -> type[Section]:
    sections: dict[int | str, type[Section]] = {"data": Data, "preprocess": Preprocess, "train": Train, "sweep": Sweep}
    if not place:
        return Params
    if place[0] == "sweep" and len(place) > 1:
        return SearchSpace if place[-1] == "default_space" or place[-2] == "recipe_spaces" else Bounds
    return sections.get(place[0], Recipe)
