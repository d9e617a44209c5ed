"""How far apart the two frameworks may be: bounds derived from how far float32 is from float64 within each.

For a quantity q (an activation, a gradient, the parameters after a step, …) each framework computes q in float32 and in
float64. Its gap is max |q₃₂ - q₆₄|: what rounding to 24 bits does to this very computation, cancellation and depth
included. It counts as half a unit in the last place of max |q| at least, 2⁻²⁴·max |q|: no correct float32 result can be
promised to lie nearer. After a step, the largest gap so far counts.

- float64: rounding errors of the same computation shrink as the unit roundoff does, by 2⁻²⁹ (2⁻²⁴ → 2⁻⁵³), to first
  order (Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapter 3). The frameworks may differ by MULTIPLE
  times the smaller gap, so scaled. What is no rounding error doesn't shrink, and stands out up to 10⁸-fold.
- float32, for the first batch and the first step: they may differ by MULTIPLE times the smaller gap. With the larger
  one, no framework could ever fail by computing in less than float32 (TensorFloat-32, bfloat16, fast mathematics),
  which makes its own gap thousands of times larger, and so the difference.
- float32, after later steps: by LATER_MULTIPLE times the larger gap. Rounding can flip a ReLU or the choice of a
  max-pool in one framework and not in the other; from there on the two depart from each other by far more than
  rounding, both being right. The triangle inequality gives 2 for twins that agree in float64: a check of size alone.

MULTIPLE is 256. The largest difference seen was 43 gaps: a maximum over 10⁵ parameters is the luck of a few, above all
with Adam, whose first steps divide each gradient, however small and ill-known, by its own size. TensorFloat-32, the
mildest way to compute in less than float32, makes a gap 2¹³ times larger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Precision

Arrays = npt.NDArray[np.floating[Any]]

MULTIPLE, LATER_MULTIPLE = 256, 4
UNIT_ROUNDOFF: dict[Precision, float] = {"float32": 2.0**-24, "float64": 2.0**-53}
SHRINKS = UNIT_ROUNDOFF["float64"] / UNIT_ROUNDOFF["float32"]


@dataclass(frozen=True)
class Four:
    """How far a quantity of two frameworks and two precisions is apart, in arrays of shape (rows, segments).

    Rows are steps; what belongs to no step is a single row. `gap` is the smaller gap of the two frameworks,
    `larger_gap` the other.
    """

    difference32: Arrays
    difference64: Arrays
    gap: Arrays
    larger_gap: Arrays

    def bound(self, precision: Precision) -> Arrays:
        """Return how far the frameworks may be apart."""
        if precision == "float64":
            return MULTIPLE * SHRINKS * self.gap
        return np.concatenate([MULTIPLE * self.gap[:1], LATER_MULTIPLE * self.larger_gap[1:]])

    def columns(self, places: Sequence[int]) -> "Four":
        """Return the segments at these places, in this order."""
        return Four(*(one[:, places] for one in (self.difference32, self.difference64, self.gap, self.larger_gap)))

    def difference(self, precision: Precision) -> Arrays:
        """Return how far they are apart."""
        return self.difference32 if precision == "float32" else self.difference64


def measure(values: dict[tuple[str, Precision], Arrays], starts: npt.NDArray[np.int64]) -> Four:
    """Return the differences and gaps of segments of arrays.

    `values` has four arrays of shape (rows, n), by (backend, precision), of two backends. `starts`, int (segments,),
    says where each segment of a row begins. The results have the shape (rows, segments): the maximum of each segment.
    NaN anywhere is an infinite difference.
    """
    first, second = sorted({backend for backend, _ in values})

    def largest(a: Arrays, b: Arrays | None = None) -> Arrays:
        # Row by row: all steps at once would need several times their memory.
        rows = (np.abs(a[i].astype(np.float64) - (0 if b is None else b[i])) for i in range(len(a)))
        found = np.stack([np.maximum.reduceat(row, starts) for row in rows])
        return np.where(np.isnan(found), np.inf, found)

    gaps = [largest(values[backend, "float32"], values[backend, "float64"]) for backend in (first, second)]
    size = np.minimum(*(largest(values[backend, "float64"]) for backend in (first, second)))
    return Four(
        largest(values[first, "float32"], values[second, "float32"]),
        largest(values[first, "float64"], values[second, "float64"]),
        np.maximum.accumulate(np.maximum(np.minimum(*gaps), UNIT_ROUNDOFF["float32"] * size)),
        np.maximum.accumulate(np.maximum(np.maximum(*gaps), UNIT_ROUNDOFF["float32"] * size)),
    )
