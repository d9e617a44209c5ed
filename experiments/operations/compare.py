"""In what two answers differ."""

from typing import Literal

import numpy as np

from experiments.operations.answers import Answer, Array

Difference = Literal["error", "shape", "dtype", "values"]
# Of two floats: several units of float32's last place, so that the order of a sum is no difference.
RELATIVE, ABSOLUTE = 1e-5, 1e-6


def differences(first: Answer, second: Answer) -> list[Difference]:
    """Return in what two answers differ.

    Two errors are the same answer, whatever they are called. Other numbers of arrays, or arrays of other shapes, are a
    different shape; their values aren't compared then.
    """
    if first.error or second.error:
        return [] if first.error and second.error else ["error"]
    pairs = list(zip(first.arrays, second.arrays, strict=False))
    found: list[Difference] = []
    same_shape = len(first.arrays) == len(second.arrays) and all(a.values.shape == b.values.shape for a, b in pairs)
    if not same_shape:
        found.append("shape")
    if any(a.dtype != b.dtype for a, b in pairs):
        found.append("dtype")
    if same_shape and not all(_same_values(a, b) for a, b in pairs):
        found.append("values")
    return found


def _same_values(first: Array, second: Array) -> bool:
    """Floats to the tolerance, with the sign of zero, NaN equal to NaN; everything else exactly."""
    a, b = first.values, second.values
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        return bool(a.astype(object).tolist() == b.astype(object).tolist())
    a, b = a.astype(np.float64), b.astype(np.float64)
    zeros = (a == 0) & (b == 0)
    close = np.isclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    return bool(np.all(close & (~zeros | (np.signbit(a) == np.signbit(b)))))
