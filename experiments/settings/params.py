"""params.yaml as frozen, validated objects."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, PlainValidator, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from experiments.settings.engines import Engines
from experiments.settings.recipe import BackendName, Count, Epochs, Name, Recipe, Section, Seed
from experiments.settings.space import SearchSpace
from experiments.settings.wrong import one_line
from experiments.system.errors import TandemError

Item = TypeVar("Item")


def _no_repeats(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len(set(items)) < len(items):
        raise ValueError("a list without repeats")
    return items


def _threads(setting: object) -> object:
    # One validator, since pydantic reports an error of a union once for each member.
    if setting != "auto" and not (type(setting) is int and 1 <= setting <= 1024):
        raise ValueError("a whole number from 1 to 1024, or 'auto'")
    return setting


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
    threads: Annotated[int | Literal["auto"], PlainValidator(_threads)]
    log_every_steps: Count

    _unique = field_validator("recipes", "backends", "seeds")(_no_repeats)


SamplerName = Literal["tpe", "random", "qmc", "cmaes", "gp"]
PrunerName = Literal["median", "halving", "hyperband", "none"]


class Sweep(Section):
    """How recipes are tuned."""

    trials: Count
    epochs: Epochs | None = None
    objective: Literal["val/loss", "val/accuracy"]
    sampler: SamplerName
    pruner: PrunerName
    seed: Seed
    retries: Annotated[int, Field(ge=0, le=100)]
    default_space: SearchSpace
    recipe_spaces: dict[Name, SearchSpace] = {}  # noqa: RUF012 - pydantic copies defaults


class Params(Section):
    """All of params.yaml."""

    data: Data
    preprocess: Preprocess
    train: Train
    sweep: Sweep
    engines: Engines = Engines()
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
            TandemError: it is missing; the message names `asked_by`, the setting that asks for it.
        """
        if name not in self.recipes:
            known = ", ".join(sorted(self.recipes))
            raise TandemError(f"params.yaml: {asked_by}: expected one of the recipes {known}; got {name!r}")
        return self.recipes[name]


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        TandemError: the file is missing, is no YAML, or has a wrong value; the message names the first wrong key,
            what was expected and what was got.
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
        raise TandemError(one_line(error, Params)) from None
