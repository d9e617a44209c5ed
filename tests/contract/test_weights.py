from typing import Any

import numpy as np
import pytest

from experiments.contract.arrays import CONVOLUTION, DENSE, Shapes
from experiments.contract.weights import FloatArray, Parameter, draw_weights
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.system.files import digest

SHAPES = Shapes({"weight": (50, 20, 5, 5), "bias": (50,)})
CONV, BIAS = (spec.parameter("conv1", SHAPES, trainable=True) for spec in CONVOLUTION)
OUTPUT = [spec.parameter("output", Shapes({"weight": (10, 3136), "bias": (10,)}), trainable=True) for spec in DENSE]


def draw(parameters: list[Parameter], *, seed: int, **settings: Any) -> dict[str, FloatArray]:
    base = {"architecture": "lenet", "scaling": "unit", "optimiser": "adam", "lr": 1.0, "batch_size": 1, "epochs": 1}
    return draw_weights(parameters, Recipe.model_validate({**base, **settings}), seed=seed)


def test_fans_count_the_connections_of_a_unit() -> None:
    assert Shapes({"weight": (500, 800)}).fans == (800, 500)
    assert SHAPES.fans == (20 * 25, 50 * 25)


@pytest.mark.parametrize(("initialiser", "bound"), [("torch", 1 / np.sqrt(500)), ("keras", np.sqrt(6 / (500 + 1250)))])
def test_weights_are_uniform_within_the_bound_of_the_formula(initialiser: str, bound: float) -> None:
    weights = draw([CONV], initialiser=initialiser, seed=3)["conv1/weight"]
    assert weights.dtype == np.float32
    assert weights.shape == CONV.shape
    # 25,000 uniform draws: the largest is within 0.1 % of the bound but for a chance of e⁻²⁵, the mean within
    # 5 standard errors of 0, and the variance within 5 standard errors (√(4/45/n) of bound²) of bound²/3.
    assert 0.999 * bound < np.abs(weights).max() <= bound
    assert abs(weights.mean()) < 5 * bound / np.sqrt(3 * weights.size)
    assert abs(weights.var() - bound**2 / 3) < 5 * bound**2 * np.sqrt(4 / 45 / weights.size)


def test_biases_follow_the_framework() -> None:
    torch_bias = draw([BIAS], initialiser="torch", seed=3)["conv1/bias"]
    assert 0 < np.abs(torch_bias).max() <= 1 / np.sqrt(500)
    assert not draw([BIAS], initialiser="keras", seed=3)["conv1/bias"].any()


def test_every_parameter_has_a_stream_of_its_own() -> None:
    alone = draw([BIAS], initialiser="torch", seed=3)
    together = draw([CONV, BIAS], initialiser="torch", seed=3)
    np.testing.assert_array_equal(alone["conv1/bias"], together["conv1/bias"])


def test_the_draw_is_the_same_on_every_machine_and_depends_on_the_seed() -> None:
    weights = draw([BIAS], initialiser="torch", seed=3)
    assert digest(weights)[:16] == "59f8d3e52a1f226b"
    assert digest(weights) != digest(draw([BIAS], initialiser="torch", seed=4))


def test_an_exception_is_drawn_xavier_uniform_and_the_rest_is_not() -> None:
    parameters = [CONV, OUTPUT[0]]
    plain = draw(parameters, initialiser="torch", seed=1)
    drawn = draw(parameters, initialiser="torch", seed=1, initialiser_exceptions={"output/weight": "xavier_uniform"})
    np.testing.assert_array_equal(drawn["conv1/weight"], plain["conv1/weight"])
    # Glorot and Bengio (2010): √(6 / (fan_in + fan_out)), where torch's bound would be 1/√3136 = 0.018.
    assert np.abs(drawn["output/weight"]).max() == pytest.approx(np.sqrt(6 / 3146), rel=1e-3)


def test_an_exception_for_a_missing_parameter_is_one_line() -> None:
    with pytest.raises(TandemError, match="expected some of the parameters output/weight; got 'ouput/weight'"):
        draw(OUTPUT, seed=1, initialiser_exceptions={"ouput/weight": "xavier_uniform"})
