"""The search space of sweeps as params.yaml has it: bounds or choices for each setting, and conditions."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, PlainValidator, model_validator

from experiments.settings.recipe import Recipe, Section
from experiments.settings.tuned import check_name

Scalar = bool | int | float | str | None


def _number(value: object) -> object:
    # One validator, since pydantic reports an error of a union once for each member.
    if value is None:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a finite number")
    return value


def _scalars(values: object) -> tuple[object, ...]:
    known = tuple(values) if isinstance(values, list | tuple) else (values,)
    if not all(each is None or isinstance(each, bool | int | float | str) for each in known):
        raise ValueError("plain values: numbers, texts, true, false or null")
    if len(set(known)) < len(known):
        raise ValueError("a list without repeats")
    return known


def _choices(values: object) -> tuple[object, ...] | None:
    if values is None:
        return values
    known = _scalars(values)
    if not isinstance(values, list | tuple) or len(known) < 2:
        raise ValueError("a list of two choices at least")
    return known


def _key(name: str) -> str:
    if name.split(".")[0] not in Recipe.model_fields:
        raise ValueError("a setting of a recipe, on which it depends whether this one is searched")
    return name


Number = Annotated[int | float | None, PlainValidator(_number)]
Scalars = Annotated[tuple[Scalar, ...], PlainValidator(_scalars)]


class Range(Section):
    """What a setting is searched in: numbers from `low` to `high`, both included, or one of `choices`.

    `log`: on a logarithmic scale; `step`: only every so much from `low` on; `type`: None where the setting decides.
    `when`: the setting is searched only where other settings have one of these values.
    """

    low: Number = None
    high: Number = None
    log: bool = False
    step: Number = None
    type: Literal["int", "float"] | None = None
    choices: Annotated[tuple[Scalar, ...] | None, PlainValidator(_choices)] = None
    when: dict[Annotated[str, AfterValidator(_key)], Scalars] = {}  # noqa: RUF012 - pydantic copies defaults

    @model_validator(mode="before")
    @classmethod
    def _list_is_choices(cls, content: object) -> object:
        return {"choices": content} if isinstance(content, list | tuple) else content

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Range":
        if self.choices is not None:
            if self.model_fields_set - {"choices", "when"}:
                raise ValueError("either choices, or low and high")
        elif self.low is None or self.high is None:
            raise ValueError("low and high, or choices")
        elif self.low >= self.high:
            raise ValueError("low below high")
        elif self.log and self.low <= 0:
            raise ValueError("low above 0, since log is true")
        elif self.type == "int" and not self.is_whole:
            raise ValueError("whole numbers, since type is int")
        else:
            self._check_step(self.low, self.high)
        return self

    def _check_step(self, low: float, high: float) -> None:
        if self.step is None:
            return
        if self.log:
            raise ValueError("no step, since log is true")
        if self.step <= 0 or (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(self.step)):
            raise ValueError("a whole number of steps from low to high")

    @property
    def is_whole(self) -> bool:
        """Whether all of its numbers are written without a decimal point."""
        return all(isinstance(each, int) for each in (self.low, self.high, self.step) if each is not None)

    @property
    def bounds(self) -> tuple[float, float, float | None]:
        """The lowest and the highest number, and the step; without meaning for choices."""
        return float(self.low or 0), float(self.high or 0), self.step

    @property
    def ends(self) -> tuple[Any, ...]:
        """The choices, or both bounds."""
        if self.choices is not None:
            return self.choices
        low, high, _ = self.bounds
        return (int(low), int(high)) if self.type == "int" else (low, high)

    def has(self, value: Any) -> bool:
        """Return whether a value lies in it."""
        if self.choices is not None:
            return value in self.choices
        low, high, step = self.bounds
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            return False
        steps = (value - low) / (step or (1 if self.type == "int" else math.inf))
        return math.isclose(steps, round(steps), abs_tol=1e-8)

    def to_plan(self) -> dict[str, Any]:
        """Return what a study's plan keeps of it; `Range.model_validate` reads it."""
        when = {"when": {name: list(values) for name, values in self.when.items()}} if self.when else {}
        if self.choices is not None:
            return {"choices": list(self.choices), **when}
        kept = {"low": self.ends[0], "high": self.ends[1], "log": self.log, **when}
        kept |= {} if self.step is None else {"step": self.step}
        return {**kept, "type": "int"} if self.type == "int" else kept


def _some(space: Mapping[str, Range]) -> Mapping[str, Range]:
    if not space:
        raise ValueError("bounds for one setting at least")
    return space


# By the name of the setting; a nested one's has dots.
SearchSpace = Annotated[dict[Annotated[str, AfterValidator(check_name)], Range], AfterValidator(_some)]
