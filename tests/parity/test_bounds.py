from typing import Any

import numpy as np
import pytest

from experiments.contract.backend import Precision
from experiments.parity.bounds import LATER_MULTIPLE, MULTIPLE, Differences, measure
from experiments.parity.check import Quantity, first_beyond
from experiments.parity.protocol import PRECISIONS

SIZES = [2, 1]


def segments(first32: list[float], second32: list[float], first64: list[float], second64: list[float]) -> Differences:
    rows = {
        ("a", "float32"): np.array([first32], np.float32),
        ("b", "float32"): np.array([second32], np.float32),
        ("a", "float64"): np.array([first64]),
        ("b", "float64"): np.array([second64]),
    }
    return measure(rows, SIZES)  # type: ignore[arg-type]


def test_each_segment_has_its_largest_difference_and_the_smaller_gap() -> None:
    differences = segments([1.0, 2.5, 3.0], [1.0, 2.125, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.25])
    np.testing.assert_array_equal(differences.difference["float32"], [[0.375, 0.0]])
    np.testing.assert_array_equal(differences.difference["float64"], [[0.0, 0.25]])
    # a is 0.5 from its float64, b 0.125; in the second segment a is exact: half a unit in the last place.
    np.testing.assert_allclose(differences.gap, [[0.125, 3 * 2.0**-24]])
    np.testing.assert_allclose(differences.larger_gap, [[0.5, 0.25]])
    np.testing.assert_allclose(differences.bound("float64"), MULTIPLE * 2.0**-29 * differences.gap)


def test_a_step_counts_the_gaps_before_it() -> None:
    rows = {
        (side, precision): np.array([[0.0], [offset], [0.0]])
        for side, precision, offset in (
            *(("a", "float64", 0.0), ("b", "float64", 0.0)),
            *(("a", "float32", 0.5), ("b", "float32", 0.25)),
        )
    }
    differences = measure(rows, [1])  # type: ignore[arg-type]
    np.testing.assert_array_equal(differences.gap[:, 0], [0, 0.25, 0.25])
    np.testing.assert_array_equal(differences.bound("float32")[:, 0], [0, LATER_MULTIPLE * 0.5, LATER_MULTIPLE * 0.5])


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sides", [("a",), ("a", "b")])
def test_not_a_number_is_beyond_every_bound(sides: tuple[str, ...], precision: Precision, row: int) -> None:
    kinds: dict[Precision, Any] = {"float32": np.float32, "float64": np.float64}
    rows = {(side, kind): np.ones((2, 3), kinds[kind]) for side in ("a", "b") for kind in PRECISIONS}
    for side in sides:
        rows[side, precision][row, 1] = np.nan
    differences = measure(rows, SIZES)
    difference, bound = differences.difference[precision][row], differences.bound(precision)[row]
    quantities = [Quantity(str(index), difference[index], bound[index]) for index in (0, 1)]
    assert first_beyond(quantities) == quantities[0]
    assert first_beyond(quantities[1:]) is None
