"""Means with their spread over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Interval:
    """A mean and half the width of its interval."""

    mean: float
    half: float

    def holds(self, value: float) -> bool:
        """Return whether a value lies inside."""
        return abs(value - self.mean) <= self.half


def interval(values: Sequence[float], comparisons: int = 1) -> Interval:
    """Return the mean of independent values and its 95 % interval by Student's t (1908).

    Half the width is t(1 - 0.025/comparisons, n - 1)·s/√n, with s the sample's standard deviation: of that many
    intervals, the chance that any lies wholly above its true mean is 2.5 % at most (Dunn, 1961), and so below. A
    single value has no spread to judge by: its interval is infinite.
    """
    if len(values) < 2:
        return Interval(float(np.mean(values)), math.inf)
    quantile = special.stdtrit(len(values) - 1, 1 - 0.025 / comparisons)
    return Interval(float(np.mean(values)), float(quantile * np.std(values, ddof=1) / math.sqrt(len(values))))
