from dataclasses import replace

import pytest

from experiments.contract.layer_table import layer_rows, layer_table
from experiments.contract.layers import Layer
from experiments.contract.sizes import expected_output, output_size, same_size, wrong_output


@pytest.mark.parametrize(
    ("size", "form", "expected"),
    [
        (28, {"kernel": 5}, 24),
        (24, {"kernel": 2, "stride": 2}, 12),
        (24, {"kernel": 2, "stride": 3}, 8),
        (28, {"kernel": 3, "stride": 1, "padding": 2}, 28),
        (32, {"kernel": 5, "padding": 4}, 32),
        (64, {"kernel": 5}, 60),
        (28, {"kernel": 2}, 27),
        (27, {"kernel": 2, "stride": 2}, 13),
        (7, {"kernel": 2, "stride": 2}, 3),
        (7, {"kernel": 2, "stride": 2, "rounds_up": True}, 4),
        (8, {"kernel": 2, "stride": 2, "rounds_up": True}, 4),
        # The window that rounding up adds would start in the padding after the input: PyTorch omits it.
        (4, {"kernel": 1, "stride": 3, "padding": 2, "rounds_up": True}, 2),
    ],
)
def test_worked_cases_of_the_formula(size: int, form: dict[str, int], expected: int) -> None:
    assert output_size(size, **form) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "stride", "expected"), [(28, 1, 28), (7, 2, 4), (8, 2, 4), (7, 3, 3)])
def test_same_padding_rounds_up(size: int, stride: int, expected: int) -> None:
    assert same_size(size, stride=stride) == expected


def convolution(shape: tuple[int, int]) -> Layer:
    height, width = shape
    form = {"features": 20, "kernel": (5, 5), "weights": 500, "parameters": 520}
    return Layer("conv1", "convolution", (1, height, width), (20, height - 4, width - 4), **form)  # type: ignore[arg-type]


def test_height_and_width_are_apart() -> None:
    assert expected_output(convolution((32, 64))) == (20, 28, 60)


def test_every_weight_of_a_convolution_is_used_at_every_position() -> None:
    assert convolution((28, 28)).multiply_adds == 500 * 24 * 24
    dense = Layer("dense1", "dense", (800,), (500,), features=500, weights=400_000, parameters=400_500)
    assert dense.multiply_adds == 400_000
    assert layer_rows([convolution((28, 28)), dense])[-1] == ("total", "", "", "401,020", "688,000")


def test_an_output_that_the_formula_contradicts_is_named() -> None:
    wrong = replace(convolution((28, 28)), output=(20, 23, 24))
    problem = wrong_output("here", [convolution((28, 28)), wrong])
    assert str(problem).startswith("here: conv1: expected an output of 20×24×24 by the formula; got 20×23×24; fix")
    assert wrong_output("here", [convolution((28, 28))]) is None


def test_the_table_ends_with_the_totals() -> None:
    *_, last = layer_table([convolution((28, 28))]).splitlines()
    assert [cell.strip() for cell in last.split("|")] == ["", "total", "", "", "520", "288,000", ""]
