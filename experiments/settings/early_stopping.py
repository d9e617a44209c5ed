"""The section `early_stopping` of a recipe: when a training ends before its last epoch."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class EarlyStopping(BaseModel):
    """Stop once `patience` epochs in a row haven't improved the metric by more than `min_delta`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    patience: Annotated[int, Field(ge=1, le=10_000)]
    metric: Literal["val/loss", "val/accuracy"] = "val/loss"
    min_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
