"""The section `augmentation` of a recipe: how the training images are changed at random."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Augmentation(BaseModel):
    """Images are moved by up to `shift` pixels, mirrored in half of the cases, and turned by up to `rotate` degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    shift: Annotated[int, Field(ge=0, le=512)] = 0
    flip: bool = False
    rotate: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _changes_something(self) -> "Augmentation":
        if not (self.shift or self.flip or self.rotate):
            raise ValueError("a shift, a flip or a rotation (remove the key for none)")
        return self
