from typing import Any

import numpy as np
import pytest

from experiments.contract.model_settings import Precision
from experiments.contract.weights import FloatArray
from experiments.parity.bounds import LATER_MULTIPLE, MULTIPLE, TIMES, UNIT_ROUNDOFF, measure
from experiments.parity.check import Quantity, first_beyond
from experiments.parity.protocol import PRECISIONS

SIZES = [2, 1]


def test_each_segment_has_its_largest_difference_and_a_bound_from_the_gaps() -> None:
    values = {
        ("a", "float32"): np.array(2 * [[1.0, 2.5, 3.0]], np.float32),
        ("b", "float32"): np.array(2 * [[1.0, 2.125, 3.0]], np.float32),
        ("a", "float64"): np.array(2 * [[1.0, 2.0, 3.0]]),
        ("b", "float64"): np.array(2 * [[1.0, 2.0, 3.25]]),
    }
    measured = measure(values, SIZES, after_steps=False)  # type: ignore[arg-type]
    np.testing.assert_array_equal(measured["float32"][0], 2 * [[0.375, 0.0]])
    np.testing.assert_array_equal(measured["float64"][0], 2 * [[0.0, 0.25]])
    # a is 0.5 from its float64, b 0.125; in the second segment a is exact: half a unit in the last place.
    gap, larger_gap = np.array([0.125, 3 * 2.0**-24]), np.array([0.5, 0.25])
    np.testing.assert_allclose(measured["float64"][1], 2 * [MULTIPLE * 2.0**-29 * gap])
    np.testing.assert_allclose(measured["float32"][1], 2 * [MULTIPLE * gap])
    later = measure(values, SIZES, after_steps=True)  # type: ignore[arg-type]
    np.testing.assert_allclose(later["float64"][1], measured["float64"][1])
    np.testing.assert_allclose(later["float32"][1], 2 * [LATER_MULTIPLE * larger_gap])


def test_a_step_counts_the_gaps_before_it() -> None:
    rows = {
        (side, precision): np.array([[0.0], [offset], [0.0]])
        for side, precision, offset in (
            *(("a", "float64", 0.0), ("b", "float64", 0.0)),
            *(("a", "float32", 0.5), ("b", "float32", 0.25)),
        )
    }
    bounds = {precision: bound[:, 0] for precision, (_, bound) in measure(rows, [1], after_steps=True).items()}  # type: ignore[arg-type]
    np.testing.assert_array_equal(bounds["float64"], MULTIPLE * 2.0**-29 * np.array([0, 0.25, 0.25]))
    np.testing.assert_array_equal(bounds["float32"], [0, LATER_MULTIPLE * 0.5, LATER_MULTIPLE * 0.5])


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sides", [("a",), ("a", "b")])
def test_not_a_number_is_beyond_every_bound(sides: tuple[str, ...], precision: Precision, row: int) -> None:
    kinds: dict[Precision, Any] = {"float32": np.float32, "float64": np.float64}
    rows = {(side, kind): np.ones((2, 3), kinds[kind]) for side in ("a", "b") for kind in PRECISIONS}
    for side in sides:
        rows[side, precision][row, 1] = np.nan
    difference, bound = measure(rows, SIZES, after_steps=True)[precision]
    quantities = [Quantity(str(index), difference[row, index], bound[row, index]) for index in (0, 1)]
    assert first_beyond(quantities) == quantities[0]
    assert first_beyond(quantities[1:]) is None


def orbits(*, steps: int = 45, error: float = 0.0) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Logistic maps, which double a difference at each step: in two orders of operations, and from perturbed starts."""

    def orbit(side: str, kind: Any, start: float) -> Any:
        x, rate, values = kind(start), kind(4.0), []
        for _ in range(steps):
            x = rate * x * (kind(1) - x) if side == "a" else rate * x - rate * x * x + kind(error)
            values.append(x)
        return np.array(values)[:, np.newaxis]

    values = {
        (side, kind): orbit(side, np.dtype(kind).type, 0.3) for side in ("a", "b") for kind in ("float32", "float64")
    }
    return values, {side: orbit(side, np.float64, 0.3 * (1 + TIMES * UNIT_ROUNDOFF["float64"])) for side in ("a", "b")}


def beyond(difference: FloatArray, bound: FloatArray) -> list[int]:
    return np.flatnonzero(difference > bound).tolist()


def test_a_training_that_amplifies_differences_has_bounds_that_grow_with_them() -> None:
    values, perturbed = orbits()
    # float32 has lost the orbit after 24 doublings; float64's difference goes on to grow.
    assert beyond(*measure(values, [1], after_steps=True)["float64"])
    assert not beyond(*measure(values, [1], after_steps=True, perturbed=perturbed)["float64"])


def test_an_error_is_beyond_the_bound_where_differences_grow_too() -> None:
    values, perturbed = orbits(error=1e-12)
    assert beyond(*measure(values, [1], after_steps=True, perturbed=perturbed)["float64"])[0] == 0


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_perturbed_training_without_numbers_excuses_nothing(lost: float) -> None:
    values, perturbed = orbits(error=1e-12)
    for orbit in perturbed.values():
        orbit[0] = lost
    assert beyond(*measure(values, [1], after_steps=True, perturbed=perturbed)["float64"])[0] == 0
