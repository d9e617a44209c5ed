"""Do both frameworks compute the steps of a training in bfloat16, and in the same way?

A training with `precision: bfloat16` rounds to 8 bits what goes into and comes out of most layers. For a quantity q
after a step, a framework's gap is max |q_bf16 - q_64|, where q_64 is from the same training in float64. Two frameworks
that round at the same places differ by less than their gaps, since most of the rounding is the same: by up to 0.14 of
the smaller gap for `conv5x5`, as the median over the quantities (0.01 to 0.11 for `lenet`, `cnn3` and `mlp`). Single
quantities may differ by more: TensorFlow adds up the gradient of a bias in bfloat16 and PyTorch in float32, which makes
the gap of the last bias, whose gradients cancel, 10 times as large. Nor does it hold where a softmax or the gates of a
recurrent layer are computed in other steps (docs/settings.md): there, the difference is 1 to 2 gaps.

If one framework computes in another format, its gap is another: to first order by 2⁻³ in float16, which has 11 bits,
by 2⁻¹⁶ in float32, and larger where the weights themselves are kept in bfloat16, since a step is small beside a weight.
The roundings are then different ones, and by the triangle inequality the difference is at least the larger gap less the
smaller one: in float16 7 times the smaller gap, if its small gradients didn't lose bits too. Planted, float16 gives 2.2
to 4.1, bfloat16 weights 2.8 to 4.5, float32 7,000 and more. MOST, ½, is between those and 0.14.

Both could compute in float32. So each gap must be at least LEAST times that of the same training in float32: 256, where
the formats are 2¹⁶ apart, and where 2¹² to 2¹³ was measured, since float32's rounding adds up in long sums, which
bfloat16's doesn't: they are float32 there too.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from experiments.contract.model_settings import Precision
from experiments.contract.weights import FloatArray, Parameter
from experiments.parity.check import Quantity
from experiments.parity.jobs import Steps

MOST, LEAST = 0.5, 256.0
Mixed = Literal["bfloat16"]
BFLOAT16: Mixed = "bfloat16"
# By backend, and by what the training computes in.
MixedKey = tuple[str, Precision | Mixed]
Trained = Mapping[MixedKey, Steps]


def mixed_quantities(trainings: Trained, parameters: Sequence[Parameter]) -> list[Quantity]:
    """Return, for each step, the frameworks' difference in smaller gaps; and once, how much finer float32 is.

    Medians over the quantities of a step: the loss, each array of `parameters` after it, and the output.
    """
    values = {key: _values(steps, key[1], parameters) for key, steps in trainings.items()}
    first, second = sorted({backend for backend, _ in values})
    gaps = {name: _apart(values[name, BFLOAT16], values[name, "float64"]) for name in (first, second)}
    apart = _apart(values[first, BFLOAT16], values[second, BFLOAT16])
    ratios = _ratio(apart, np.minimum(*gaps.values()))
    what = "difference in bfloat16, in gaps"
    quantities = [Quantity(f"step {at}: {what}", row, MOST) for at, row in enumerate(ratios, 1)]
    for name, gap in gaps.items():
        finer = _ratio(_apart(values[name, "float32"], values[name, "float64"]), gap)
        quantities.append(Quantity(f"gap of float32 in {name}, in those of bfloat16", max(finer), 1 / LEAST))
    return quantities


def _values(steps: Steps, kind: Precision | Mixed, parameters: Sequence[Parameter]) -> list[FloatArray]:
    """Return the quantities, (steps, numbers) each."""
    sizes = [*(math.prod(parameter.shape) for parameter in parameters), steps.outputs]
    stored = np.fromfile(steps.file, "float64" if kind == "float64" else "float32").reshape(-1, sum(sizes))
    return [steps.losses[:, np.newaxis], *np.split(stored, np.cumsum(sizes)[:-1], axis=1)]


def _apart(first: Sequence[FloatArray], second: Sequence[FloatArray]) -> FloatArray:
    """Return the largest difference of each quantity, (steps, quantities)."""
    pairs = zip(first, second, strict=True)
    return np.stack([np.abs(one.astype(np.float64) - other).max(axis=1) for one, other in pairs], axis=1)


def _ratio(above: FloatArray, below: FloatArray) -> list[float]:
    """Return the median ratio over the quantities of each step; those that are 0 in both don't count."""
    some = (above > 0) | (below > 0)
    with np.errstate(divide="ignore"):
        return [float(np.median(np.divide(a, b)[kept])) for a, b, kept in zip(above, below, some, strict=True)]
