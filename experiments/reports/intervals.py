"""Means with their spread over seeds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

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
    """Return the mean of at least 2 independent values, and its 95 % interval by Student's t (1908).

    Half the width is t(1 - 0.025/comparisons, n - 1)·s/√n, with s the sample's standard deviation: of that many
    intervals, the chance that any lies wholly above its true mean is 2.5 % at most (Bonferroni), and so below.
    """
    spread = statistics.stdev(values) / math.sqrt(len(values))
    # scipy.stats.t.ppf, without its checks of arguments, which take fifty times as long.
    quantile = special.stdtrit(len(values) - 1, 1 - 0.025 / comparisons)
    return Interval(statistics.fmean(values), float(quantile) * spread)


def format_metric(metric: str, value: float) -> str:
    """Return an accuracy in per cent, or a loss, as text."""
    return f"{100 * value:.2f}" if metric.endswith("accuracy") else f"{value:.4f}"


def format_interval(metric: str, values: Interval) -> str:
    """Return mean ± half width of the interval of a metric, as text."""
    return f"{format_metric(metric, values.mean)} ± {format_metric(metric, values.half)}"
