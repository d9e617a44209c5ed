from dataclasses import replace

from experiments.contract.initial import constant
from experiments.contract.layers import Layer
from experiments.contract.weights import Parameter
from experiments.parity.check import Quantity, check_structure, first_beyond, largest
from experiments.parity.jobs import Description

RELU = Layer("relu1", "relu", (4,), (4,))
DENSE = Layer("dense1", "dense", (4,), (2,), features=2, weights=8, parameters=8)
WEIGHT = Parameter("dense1/weight", (2, 4), constant(0.0), constant(0.0))


def sides(layers: list[Layer], parameters: list[Parameter]) -> dict[str, Description]:
    return {"a": Description([RELU, DENSE], [WEIGHT]), "b": Description(layers, parameters)}


def test_branches_may_run_in_another_order() -> None:
    assert check_structure(sides([DENSE, RELU], [WEIGHT])) is None


def test_what_one_side_alone_has_is_named() -> None:
    assert check_structure(sides([DENSE], [WEIGHT])) == "layer relu1: only a has it"
    assert check_structure(sides([RELU, DENSE, replace(RELU, path="relu2")], [WEIGHT])) == "layer relu2: only b has it"
    assert check_structure(sides([RELU, DENSE], [])) == "parameter dense1/weight: only a has it"


def test_what_one_side_calls_a_layer_may_be_a_function_in_the_other() -> None:
    joined = Layer("sum", "other", (4,), (4,))
    assert check_structure(sides([RELU, joined, DENSE], [WEIGHT])) is None


def test_another_kind_shape_or_parameter_is_named() -> None:
    assert check_structure(sides([replace(RELU, kind="dropout"), DENSE], [WEIGHT])) == (
        "layer relu1: relu in a, dropout in b"
    )
    wide = replace(DENSE, output=(3,), features=3)
    assert check_structure(sides([RELU, wide], [WEIGHT])) == "layer dense1: 2 in a, 3 in b"
    turned = replace(WEIGHT, shape=(4, 2))
    assert check_structure(sides([RELU, DENSE], [turned])) == "parameter dense1/weight: 2×4 in a, 4×2 in b"


def test_a_mistake_that_both_sides_share_contradicts_the_formula() -> None:
    wrong = replace(RELU, output=(3,))
    both = {name: Description([wrong], []) for name in ("a", "b")}
    assert "relu1: expected an output of 4 by the formula; got 3" in str(check_structure(both))


def test_the_first_beyond_its_bound_and_the_closest_to_it() -> None:
    quantities = [Quantity("x", 1.0, 2.0), Quantity("y", 5.0, 2.0), Quantity("z", 9.0, 2.0), Quantity("0", 0.0, 0.0)]
    assert first_beyond(quantities) == quantities[1]
    assert largest(quantities) == quantities[2]
    assert first_beyond(quantities[:1]) is None
    assert Quantity("exact", 0.0, 0.0).ratio == 0
    assert Quantity("exact", 1e-30, 0.0).ratio == float("inf")


def test_a_layer_whose_parameters_are_not_counted_is_reported() -> None:
    silent = replace(DENSE, parameters=0)
    both = {name: Description([RELU, silent], [WEIGHT]) for name in ("a", "b")}
    assert check_structure(both) == "layers: expected 8 parameters in those of a; got 0"
