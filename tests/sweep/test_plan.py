from typing import Any

import pytest

from experiments.settings.params import Params
from experiments.sweep.plan import space_of
from experiments.system.errors import TandemError


def with_sweep(params: Params, **changes: Any) -> Params:
    content = params.model_dump()
    content["sweep"] |= changes
    content["train"] = {name: list(v) if isinstance(v, tuple) else v for name, v in content["train"].items()}
    content["data"]["mirrors"] = list(content["data"]["mirrors"])
    return Params.model_validate(content)


def test_a_recipe_gets_what_it_has_of_the_standard_space(params: Params) -> None:
    assert list(space_of(params, "cnn3-sgd").bounds) == ["lr", "dropout", "momentum"]
    assert space_of(params, "cnn3-sgd").left_out == {}
    lenet = space_of(params, "lenet")
    assert (list(lenet.bounds), lenet.left_out) == (["lr", "momentum"], {"dropout": "lenet has no dropout"})
    cnn3 = space_of(params, "cnn3")
    assert (list(cnn3.bounds), cnn3.left_out) == (["lr", "dropout"], {"momentum": "adam has no momentum"})


def test_a_space_of_its_own_takes_the_place_of_the_standard_one(params: Params) -> None:
    own = with_sweep(params, recipe_spaces={"lenet": {"lr": {"low": 0.0005, "high": 0.005}}})
    assert list(space_of(own, "lenet").bounds) == ["lr"]
    assert list(space_of(own, "cnn3-sgd").bounds) == ["lr", "dropout", "momentum"]


def test_a_space_of_its_own_can_t_name_what_the_recipe_lacks(params: Params) -> None:
    own = with_sweep(params, recipe_spaces={"lenet": {"dropout": {"low": 0.0, "high": 0.5}}})
    with pytest.raises(
        TandemError, match=r"sweep\.recipe_spaces\.lenet\.dropout: expected a setting that the recipe has"
    ):
        space_of(own, "lenet")


def test_the_recipe_s_own_settings_lie_inside(params: Params) -> None:
    narrow = with_sweep(params, default_space={"lr": {"low": 0.01, "high": 0.1, "log": True}})
    with pytest.raises(TandemError, match=r"sweep\.default_space\.lr: expected bounds around the recipe's own 0\.001"):
        space_of(narrow, "lenet")


def test_a_recipe_that_is_not_there_is_one_line(params: Params) -> None:
    with pytest.raises(TandemError, match="--recipe: expected one of the recipes"):
        space_of(params, "nothing")
