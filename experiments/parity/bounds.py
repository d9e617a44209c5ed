"""How far apart the two frameworks may be: bounds derived from how far float32 is from float64 within each.

For a quantity q (an activation, a gradient, the parameters after a step, …) each framework computes q in float32 and in
float64. Its gap is max |q₃₂ - q₆₄|: what rounding to 24 bits does to this very computation, cancellation and depth
included. Its minimum is half a unit in the last place of max |q|, 2⁻²⁴·max |q|: no correct float32 result is guaranteed
to be nearer. After a step, the largest gap so far counts.

- float64: rounding errors of the same computation shrink as the unit roundoff does, by 2⁻²⁹ (2⁻²⁴ → 2⁻⁵³), to first
  order (Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapter 3). The frameworks may differ by MULTIPLE
  times the smaller gap, scaled by 2⁻²⁹. Any other difference doesn't shrink, and exceeds the bound up to 10⁸-fold.
- float32, for the first batch: they may differ by MULTIPLE times the smaller gap. With the larger one, no framework
  could ever fail by computing in less than float32 (TensorFloat-32, bfloat16, fast mathematics), which makes its own
  gap thousands of times larger, and so the difference. In a deep network, rounding may flip a ReLU in one framework,
  and so change gradients: that is an accident of the batch, less precision isn't. So other batches are tried, and the
  best counts.
- float32, after steps: by LATER_MULTIPLE times the larger gap. Rounding can flip a ReLU or the choice of a max-pool in
  one framework and not in the other; from then on the two differ by far more than rounding, and both are right. The
  triangle inequality gives 2 for twins that agree in float64: a check of magnitude only.
- float64, after steps of a training that amplifies differences: float32's gap ends its growth when its training has
  nothing in common with float64's any more, or when Adam, which divides a gradient by its own size, has turned the sign
  of a small one. float64's difference still grows. How far shows a training in float64 from perturbed weights: by eight
  times the part of themselves that moves the first batch's gradients as float64's rounding does (their median;
  `experiments.parity.amplification`). The frameworks may differ by MULTIPLE times an eighth of what that moves, the
  smaller of the two. It is measured only where the bound above is exceeded. A difference that isn't rounding is there
  at the step at which it arises, before the training has amplified anything.
- float64, Adam, a parameter whose gradient is 0 in exact arithmetic, as that of a bias before a normalisation, which
  takes every constant away again. What is computed is rounding alone, g. Adam moves the parameter by lr·m̂ / (√v̂ + ε),
  where |m̂| ≤ max |g|. In float64, g is far below ε, and the move is at most lr·max |g| / ε. In float32, g is about ε,
  the move is up to lr, however small g is, and the gap no longer grows as g does: it doesn't scale by 2⁻²⁹. So after k
  steps such a parameter may differ by k·lr/ε times the bound of its gradient. Running statistics follow it. The output
  in evaluation mode shifts with what the statistics lag behind, by a factor that isn't known here, and isn't compared:
  with SGD, whose steps are linear in g, it is.

MULTIPLE is 256. The largest difference measured was 43 gaps: the maximum over 10⁵ parameters depends on a few outliers,
above all with Adam, whose first steps divide each gradient, however small and inexact, by its own size. TensorFloat-32,
the least reduction of precision on a GPU, makes a gap 2¹³ times larger.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.contract.model_settings import Precision
from experiments.contract.weights import FloatArray

Key = tuple[str, Precision]  # backend, precision
MULTIPLE, LATER_MULTIPLE = 256, 4
# Weights are perturbed by as many times what rounding does, so that the perturbation isn't rounded itself.
TIMES = 8
UNIT_ROUNDOFF: dict[Precision, float] = {"float32": 2.0**-24, "float64": 2.0**-53}
SHRINKS = UNIT_ROUNDOFF["float64"] / UNIT_ROUNDOFF["float32"]


def measure(
    values: Mapping[Key, FloatArray],
    sizes: Sequence[int],
    *,
    after_steps: bool,
    perturbed: Mapping[str, FloatArray] | None = None,
) -> dict[Precision, tuple[FloatArray, FloatArray]]:
    """Return how far two frameworks are apart in segments of arrays, and how far they may be, in each precision.

    `values` has four arrays of shape (rows, n), of two backends and two precisions. Rows are steps, if `after_steps`;
    else there is one, of the first batch. `sizes` are those of the segments of a row, and add up to n. The results have
    the shape (rows, segments): the maximum of each segment, and its bound. NaN anywhere is an infinite difference.
    `perturbed` are the float64 arrays of each backend's training from perturbed weights.
    """
    first, second = sorted({backend for backend, _ in values})
    starts = np.cumsum([0, *sizes[:-1]])

    def largest(a: FloatArray, b: FloatArray | None = None) -> FloatArray:
        # Row by row: all steps at once would need several times their memory.
        rows = (np.abs(a[i].astype(np.float64) - (0 if b is None else b[i])) for i in range(len(a)))
        maxima = np.stack([np.maximum.reduceat(row, starts) for row in rows])
        return np.where(np.isnan(maxima), np.inf, maxima)

    gaps = [largest(values[backend, "float32"], values[backend, "float64"]) for backend in (first, second)]
    least = UNIT_ROUNDOFF["float32"] * np.minimum(*(largest(values[name, "float64"]) for name in (first, second)))
    smaller, larger = (np.maximum.accumulate(np.maximum(gap, least)) for gap in (np.minimum(*gaps), np.maximum(*gaps)))
    bounds: dict[Precision, FloatArray] = {
        "float32": LATER_MULTIPLE * larger if after_steps else MULTIPLE * smaller,
        "float64": MULTIPLE * SHRINKS * smaller,
    }
    if perturbed is not None:
        moved = np.minimum(*(largest(perturbed[name], values[name, "float64"]) for name in (first, second)))
        # A training that ends in numbers that aren't finite tells nothing.
        moved = np.maximum.accumulate(np.where(np.isfinite(moved), moved, 0))
        bounds["float64"] = np.maximum(bounds["float64"], MULTIPLE / TIMES * moved)
    return {kind: (largest(values[first, kind], values[second, kind]), bound) for kind, bound in bounds.items()}
