"""A recipe: one experiment, the same for both frameworks.

Kept apart from the rest of params.yaml: a training depends on this file, and on no other settings.
"""

import math
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

BackendName = Literal["lightning", "keras"]

Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# Above these bounds, a count is a typing error.
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
# A name becomes part of a folder, of a DVC stage's name and of an MLflow tag.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


# No smaller than the dataset's images, and above the upper bound a typing error.
ImageSize = Annotated[int, Field(ge=28, le=1024)]


def _sha256(setting: object) -> object:
    if setting is not None and not (isinstance(setting, str) and re.fullmatch("[0-9a-f]{8,64}", setting)):
        raise ValueError("8 to 64 of the digits 0 to 9 and a to f, in quotes")
    return setting


def _option(setting: object) -> object:
    # One validator, since pydantic reports an error of a union once for each member.
    if not isinstance(setting, bool | int | float | str) or (isinstance(setting, float) and not math.isfinite(setting)):
        raise ValueError("a finite number, true, false or a text")
    return setting


# What an architecture's factory takes under a name of its own.
Option = bool | int | float | str


class Section(BaseModel):
    """A part of params.yaml: immutable, of exact types, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Recipe(Section):
    """One experiment, the same for both frameworks; README.md explains every key."""

    architecture: Name
    options: dict[str, Annotated[Option, PlainValidator(_option)]] = {}
    origin: str | None = None
    train_on: Literal["train", "train+validation"] = "train"
    test_every_epoch: bool = False
    image_size: ImageSize | None = None
    scaling: Literal["unit", "standardised", "imagenet"]
    initialiser: Literal["torch", "keras"] = "torch"
    initialiser_exceptions: dict[str, Literal["xavier_uniform"]] = {}
    weights: str | None = None
    weights_sha256: Annotated[str | None, PlainValidator(_sha256)] = None
    freeze: list[str] = []
    optimiser: Literal["sgd", "adam"]
    lr: Positive
    momentum: Fraction | None = None
    dropout: Fraction | None = None
    batch_size: Count
    drop_last: bool = False
    epochs: Epochs

    @property
    def option_pairs(self) -> tuple[tuple[str, Option], ...]:
        """The options as what can be hashed, in an order of its own."""
        return tuple(sorted(self.options.items()))

    @model_validator(mode="after")
    def _momentum_belongs_to_sgd(self) -> "Recipe":
        if self.optimiser == "adam" and self.momentum is not None:
            raise ValueError("no momentum, since the optimiser is adam (remove the key, or use sgd)")
        if self.optimiser == "sgd" and self.momentum is None:
            raise ValueError("a momentum, since the optimiser is sgd (0 for none)")
        return self

    @model_validator(mode="after")
    def _weights_are_known_by_their_digest(self) -> "Recipe":
        if (self.weights is None) != (self.weights_sha256 is None):
            raise ValueError("both weights and weights_sha256, a file and the beginning of its SHA-256, or neither")
        return self
