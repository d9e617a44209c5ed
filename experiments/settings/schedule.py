"""The section `schedule` of a recipe: how the learning rate changes from step to step."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

Kind = Literal["constant", "step", "cosine", "one_cycle"]
# The keys of each kind, and what they are where the recipe has none; None: it must have one.
KEYS: dict[Kind, dict[str, float | None]] = {
    "constant": {},
    "step": {"every_epochs": None, "gamma": 0.1},
    "cosine": {"final_share": 0.0},
    "one_cycle": {"pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4},
}

Steps = Annotated[int, Field(ge=1, le=10_000_000)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
Factor = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class Schedule(BaseModel):
    """A kind with its keys, and a warm-up; `experiments.contract.schedule` has the formulas."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Kind
    warmup_steps: Steps | None = None
    warmup_epochs: Epochs | None = None
    every_epochs: Epochs | None = None
    gamma: Annotated[float | None, Field(gt=0, lt=1)] = None
    final_share: Annotated[float | None, Field(ge=0, le=1)] = None
    pct_start: Annotated[float | None, Field(gt=0, lt=1)] = None
    div_factor: Factor | None = None
    final_div_factor: Factor | None = None

    @model_validator(mode="after")
    def _keys_belong_to_the_kind(self) -> "Schedule":
        own = KEYS[self.kind]
        for name in (name for keys in KEYS.values() for name in keys):
            if name not in own and getattr(self, name) is not None:
                raise ValueError(f"no {name}, since the kind is {self.kind} (remove the key)")
            if name in own and self.number(name) is None:
                raise ValueError(f"a value for {name}, since the kind is {self.kind}")
        if self.warmup_steps is not None and self.warmup_epochs is not None:
            raise ValueError("warmup_steps or warmup_epochs, not both")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_set(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None}

    def number(self, name: str) -> float | None:
        """Return the value of one of the kind's keys, its default where the recipe has none."""
        value: float | None = getattr(self, name)
        return KEYS[self.kind][name] if value is None else value
