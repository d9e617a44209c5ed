"""A recipe: one experiment, the same for both frameworks.

Kept apart from the rest of params.yaml: a training depends on this file, and on no other settings.
"""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from experiments.settings.augmentation import Augmentation
from experiments.settings.early_stopping import EarlyStopping
from experiments.settings.schedule import Schedule

BackendName = Literal["lightning", "keras"]
OptimiserName = Literal["sgd", "adam", "adamw"]
# Which keys go with which optimiser, of those that don't go with every one: whether it has to have the key.
KEYS_OF: dict[OptimiserName, dict[str, bool]] = {
    "sgd": {"momentum": True, "weight_decay": False},
    "adam": {"weight_decay": False},
    "adamw": {"weight_decay": True},
}

Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
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


# What the steps of a training compute in; weights, state, optimiser and loss are float32 in all of them.
Arithmetic = Literal["float32", "bfloat16", "tf32"]


class Misfit(ValueError):
    """Settings of a recipe don't go together: which of its keys have to go, and which are missing."""

    def __init__(self, expected: str, remove: Sequence[str] = (), add: Sequence[str] = ()) -> None:
        super().__init__(expected)
        self.remove, self.add = remove, add


class Section(BaseModel):
    """A part of params.yaml: immutable, of exact types, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Recipe(Section):
    """One experiment, the same for both frameworks; docs/settings.md explains every key.

    `weight_decay` λ is coupled for `sgd` and `adam`, g ← g + λ·w, which is L2 regularisation, and decoupled for
    `adamw`, w ← w - lr·λ·w (Loshchilov and Hutter, 2019). It decays every trained parameter, biases included.
    """

    architecture: Name
    options: dict[str, Annotated[Option, PlainValidator(_option)]] = {}
    origin: str | None = None
    train_on: Literal["train", "train+validation"] = "train"
    augmentation: Augmentation | None = None
    test_every_epoch: bool = False
    image_size: ImageSize | None = None
    scaling: Literal["unit", "standardised", "imagenet"]
    initialiser: Literal["torch", "keras"] = "torch"
    initialiser_exceptions: dict[str, Literal["xavier_uniform"]] = {}
    weights: str | None = None
    weights_sha256: Annotated[str | None, PlainValidator(_sha256)] = None
    freeze: list[str] = []
    optimiser: OptimiserName
    precision: Arithmetic = "float32"
    lr: Positive
    momentum: Fraction | None = None
    weight_decay: NotNegative | None = None
    schedule: Schedule | None = None
    clip_norm: Positive | None = None
    label_smoothing: Fraction | None = None
    dropout: Fraction | None = None
    batch_size: Count
    drop_last: bool = False
    epochs: Epochs
    early_stopping: EarlyStopping | None = None

    @property
    def option_pairs(self) -> tuple[tuple[str, Option], ...]:
        """The options as what can be hashed, in an order of its own."""
        return tuple(sorted(self.options.items()))

    @model_validator(mode="after")
    def _keys_belong_to_the_optimiser(self) -> "Recipe":
        own = KEYS_OF[self.optimiser]
        names = [*dict.fromkeys(name for keys in KEYS_OF.values() for name in keys)]
        remove = [name for name in names if name not in own and getattr(self, name) is not None]
        add = [name for name in names if own.get(name) and getattr(self, name) is None]
        if remove or add:
            expected = [*(f"no {name}" for name in remove), *(f"a {name} (0 for none)" for name in add)]
            raise Misfit(f"{' and '.join(expected)}, since the optimiser is {self.optimiser}", remove, add)
        return self

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "Recipe":
        if self.schedule and (self.schedule.warmup_epochs or 0) >= self.epochs:
            got = self.schedule.warmup_epochs
            raise ValueError(f"a schedule.warmup_epochs below the {self.epochs} epochs; got {got}")
        return self

    @model_validator(mode="after")
    def _early_stopping_validates(self) -> "Recipe":
        if self.early_stopping and self.train_on != "train":
            expected = f"no early_stopping, since train_on is {self.train_on}, which leaves no validation images"
            raise Misfit(expected, ["early_stopping"])
        return self

    @model_validator(mode="after")
    def _weights_are_known_by_their_digest(self) -> "Recipe":
        if (self.weights is None) != (self.weights_sha256 is None):
            expected = "both weights and weights_sha256, a file and the beginning of its SHA-256, or neither"
            raise Misfit(expected, ["weights" if self.weights else "weights_sha256"])
        return self
