from typing import Any

import pytest
from ruamel.yaml import YAML

from experiments.settings.params import Params
from experiments.sweep.drawing import own_settings
from experiments.sweep.space import space_of
from experiments.system.errors import TandemError
from tests.conftest import ROOT
from tests.end_to_end.pages import blocks
from tests.sweep.spaces import MIXED, space_over, with_sweep


def test_a_recipe_gets_what_it_has_of_the_standard_space(params: Params) -> None:
    assert list(space_of(params, "cnn3-sgd").ranges) == ["lr", "dropout", "momentum"]
    assert space_of(params, "cnn3-sgd").left_out == {}
    lenet = space_of(params, "lenet")
    assert (list(lenet.ranges), lenet.left_out) == (["lr", "momentum"], {"dropout": "lenet has no dropout"})
    cnn3 = space_of(params, "cnn3")
    assert (list(cnn3.ranges), cnn3.left_out) == (["lr", "dropout"], {"momentum": "the optimiser is adam"})


def test_a_space_of_its_own_takes_the_place_of_the_standard_one(params: Params) -> None:
    own = with_sweep(params, recipe_spaces={"lenet": {"lr": {"low": 0.0005, "high": 0.005}}})
    assert list(space_of(own, "lenet").ranges) == ["lr"]
    assert list(space_of(own, "cnn3-sgd").ranges) == ["lr", "dropout", "momentum"]


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


def test_the_bounds_of_a_whole_number_are_whole_numbers(params: Params) -> None:
    space = {"batch_size": {"low": 32, "high": 128}, "momentum": {"low": 0, "high": 0.5, "step": 0.1}}
    with pytest.raises(TandemError, match=r"momentum: expected bounds around the recipe's own 0\.9"):
        space_over(params, space)
    found = space_over(
        params, {**space, "momentum": {"low": 0, "high": 0.9, "step": 0.1}, "lr": {"low": 1e-3, "high": 1}}
    )
    assert {name: each.to_plan() for name, each in found.ranges.items()} == {
        "batch_size": {"low": 32, "high": 128, "log": False, "type": "int"},
        "momentum": {"low": 0.0, "high": 0.9, "log": False, "step": 0.1},
        "lr": {"low": 0.001, "high": 1.0, "log": False},
    }


WHEN = {"when": {"optimiser": "sgd"}}


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"momentum": {"low": 0, "high": 1.5}}, r"\.momentum: expected less than 1; got 1\.5$"),
        ({"batch_size": {"low": 8.0, "high": 200}}, r"\.batch_size: expected a valid integer; got 8\.0$"),
        ({"optimiser": ["sgd", "rms"]}, r"\.optimiser: expected 'sgd', 'adam' or 'adamw'; got rms$"),
        ({"optimiser": ["sgd", "adam"]}, r"\.optimiser: .* got adam: no momentum, since the optimiser is adam"),
        ({**MIXED, "momentum": {"low": 0, "high": 0.99}}, r"\.optimiser: .* got adam with momentum 0\.0: no momentum"),
        (
            {"schedule.warmup_epochs": {"low": 1, "high": 20}, "schedule.kind": ["constant", "cosine"]},
            r"\.schedule\.warmup_epochs: .* got 20 with schedule\.kind constant: a schedule\.warmup_epochs below",
        ),
        (
            {"schedule.gamma": {"low": 0.1, "high": 0.9}},
            r"\.schedule\.gamma: .* a value for schedule\.kind; remove it$",
        ),
        (
            {"options.width": [1, 2]},
            r"\.options\.width: .* expected one of filters, units, the options of cnn3",
        ),
        ({"image_size": [28, 56]}, r"\.image_size: .*: cnn3 takes the dataset's images as they are; remove it$"),
        ({"lr": {"low": 0, "high": 1}}, r"\.lr: expected greater than 0; got 0\.0$"),
        ({"optimiser": ["adam", "rms"]}, r"\.optimiser: expected choices with the recipe's own sgd"),
        (
            {**MIXED, "momentum": {"low": 0, "high": 0.99, "when": {"optimiser": "sdg"}}},
            r"\.momentum\.when\.optimiser: expected some of the choices sgd, adam; got sdg",
        ),
        (
            {
                **MIXED,
                "optimiser": {"choices": ["sgd", "adam"], "when": {"drop_last": True}},
                "drop_last": {"choices": [True, False], **WHEN},
            },
            ": expected conditions without a circle; got ",
        ),
        (
            {
                "dropout": [0.4, 0.5],
                "lr": {"low": 1e-3, "high": 1, "when": {"dropout": 0.4}},
                "momentum": {"low": 0, "high": 0.9, "when": {"lr": 0.1}},
            },
            r"\.momentum\.when\.lr: expected a setting of choices; got 0\.1",
        ),
    ],
)
def test_a_space_that_makes_no_valid_recipe_is_one_line(params: Params, space: dict[str, Any], message: str) -> None:
    with pytest.raises(TandemError, match=r"^params\.yaml: sweep\.recipe_spaces\.cnn3-sgd" + message) as caught:
        space_over(params, space)
    assert "\n" not in str(caught.value)


def test_a_setting_may_need_another_one_that_is_searched(params: Params) -> None:
    space = {"schedule.warmup_epochs": {"low": 1, "high": 4}, "schedule.kind": ["constant", "cosine"]}
    found = space_over(params, space)
    assert found.ranges["schedule.warmup_epochs"].type == "int"
    assert own_settings(found.recipe, found.ranges) == {}


def test_the_page_s_space_makes_valid_recipes(params: Params) -> None:
    (text,) = [block.text for block in blocks(ROOT / "docs" / "sweeps.md") if block.language == "yaml"]
    space = YAML(typ="safe", pure=True).load(text)["sweep"]["recipe_spaces"]["cnn3-sgd"]
    found = space_over(params, space)
    assert [name for name, each in found.ranges.items() if each.type == "int"] == ["options.filters"]
    own = own_settings(found.recipe, found.ranges)
    assert own == {"optimiser": "sgd", "lr": 0.01, "momentum": 0.9, "batch_size": 100}
    without = {**space, "momentum": {"low": 0, "high": 0.99}}
    with pytest.raises(TandemError, match=r"\.optimiser: .* got adam with momentum 0\.0: no momentum"):
        space_over(params, without)


def test_a_condition_on_what_no_trial_changes_is_settled_at_once(params: Params) -> None:
    space = {"lr": {"low": 1e-4, "high": 1.0}, "momentum": {"low": 0.0, "high": 0.9, **WHEN}}
    both = with_sweep(params, default_space=space)
    assert space_of(both, "cnn3-sgd").ranges["momentum"].when == {}
    assert space_of(both, "cnn3").left_out == {"momentum": "optimiser is adam in all trials"}


def test_epochs_that_a_recipe_can_t_have_are_one_line(params: Params) -> None:
    with pytest.raises(TandemError, match=r"--epochs: expected a number that suits recipes\.lenet; got 20000: "):
        space_of(params, "lenet", 20_000)
