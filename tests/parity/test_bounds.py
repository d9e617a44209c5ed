from typing import Any

import numpy as np
import pytest

from experiments.contract.backend import Precision
from experiments.parity.bounds import LATER_MULTIPLE, MULTIPLE, measure
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
