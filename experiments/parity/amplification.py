"""By how much weights are perturbed to see how a training amplifies rounding: `experiments.parity.bounds` says why."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.parity.bounds import MULTIPLE, TIMES, UNIT_ROUNDOFF, Key
from experiments.parity.check import GRADIENT, Quantity
from experiments.parity.jobs import Start

# By which part of itself a weight is perturbed in the first batch: too little to turn a ReLU, and far above rounding.
CALIBRATION = 2.0**-40


def perturbation(starts: Mapping[Key, Start], moved: Mapping[str, Start], quantities: Sequence[Quantity]) -> float:
    """Return by which part of itself a weight is perturbed: TIMES what moves gradients as float64's rounding does.

    `moved` are the first batch's values by backend, in float64, from weights perturbed by CALIBRATION; `quantities`
    are those of the first batch in float64. It is at least TIMES the unit roundoff.
    """
    parts = []
    for quantity in quantities:
        name = quantity.where
        gaps = [
            np.abs(each.computed[name] - starts[side, "float64"].computed[name]).max() for side, each in moved.items()
        ]
        if name.startswith(GRADIENT) and min(gaps) > 0:
            parts.append(quantity.bound / MULTIPLE / min(gaps) * CALIBRATION)
    return TIMES * max(float(np.median(parts)) if parts else 0.0, UNIT_ROUNDOFF["float64"])
