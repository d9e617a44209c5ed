"""A search space of every kind of setting, with conditions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.settings.params import Params
from experiments.settings.space import Range
from experiments.sweep.plan import Plan, make_plan
from experiments.sweep.space import Space, space_of

# Over cnn3-sgd, whose own settings are lr 0.01, momentum 0.9, dropout 0.4 and a batch size of 100.
MIXED: dict[str, Any] = {
    "optimiser": ["sgd", "adam"],
    "lr": {"low": 0.0001, "high": 0.1, "log": True},
    "momentum": {"low": 0.0, "high": 0.99, "when": {"optimiser": "sgd"}},
    "batch_size": {"low": 20, "high": 180, "step": 20},
    "drop_last": [True, False],
}
# Without choices, and without conditions.
NUMBERS = {name: MIXED[name] for name in ("lr", "batch_size")} | {"momentum": {"low": 0, "high": 0.99}}
ALWAYS = {name: MIXED[name] for name in ("lr", "batch_size", "drop_last")}


def with_sweep(params: Params, **changes: Any) -> Params:
    """Return settings with other ones of `sweep`."""
    content = params.model_dump()
    for section in (content["sweep"]["default_space"], *content["sweep"]["recipe_spaces"].values()):
        section.update({name: Range.model_validate(each).to_plan() for name, each in section.items()})
    content["sweep"] |= changes
    content["train"] = {name: list(v) if isinstance(v, tuple) else v for name, v in content["train"].items()}
    content["data"]["mirrors"] = list(content["data"]["mirrors"])
    return Params.model_validate(content)


def space_over(params: Params, space: Mapping[str, Any], recipe: str = "cnn3-sgd") -> Space:
    """Return a space of a recipe's own."""
    return space_of(with_sweep(params, recipe_spaces={recipe: space}), recipe)


def plan_over(params: Params, space: Mapping[str, Any], *, recipe: str = "cnn3-sgd", sampler: str = "tpe") -> Plan:
    """Return the plan of a sweep over it."""
    found = space_over(params, space, recipe)
    plan = make_plan(params, recipe=recipe, backends="lightning", name="s", space=found, dataset="data")
    return replace(plan, sampler=sampler)  # type: ignore[arg-type]
