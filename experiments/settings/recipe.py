"""A recipe: one experiment, the same for both frameworks.

Kept apart from the rest of params.yaml: a training depends on this file, and on no other settings.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

BackendName = Literal["lightning", "keras"]

Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# Above these bounds, a count is a typing error.
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
# A name becomes part of a folder, of a DVC stage's name and of an MLflow tag.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Section(BaseModel):
    """A part of params.yaml: immutable, of exact types, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Recipe(Section):
    """One experiment, the same for both frameworks; README.md explains every key."""

    architecture: Name
    origin: str | None = None
    train_on: Literal["train", "train+validation"] = "train"
    test_every_epoch: bool = False
    scaling: Literal["unit", "standardised"]
    initialiser: Literal["torch", "keras"] = "torch"
    initialiser_exceptions: dict[str, Literal["xavier_uniform"]] = {}
    optimiser: Literal["sgd", "adam"]
    lr: Positive
    momentum: Fraction | None = None
    dropout: Fraction | None = None
    batch_size: Count
    drop_last: bool = False
    epochs: Epochs

    @model_validator(mode="after")
    def _momentum_belongs_to_sgd(self) -> "Recipe":
        if self.optimiser == "adam" and self.momentum is not None:
            raise ValueError("no momentum, since the optimiser is adam (remove the key, or use sgd)")
        if self.optimiser == "sgd" and self.momentum is None:
            raise ValueError("a momentum, since the optimiser is sgd (0 for none)")
        return self
