"""Means with their spread over seeds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A mean and half the width of its 95 % interval."""

    mean: float
    half: float

    def holds(self, value: float) -> bool:
        """Return whether a value lies inside."""
        return abs(value - self.mean) <= self.half


def interval(values: Sequence[float]) -> Interval:
    """Return the mean and its 95 % interval by Student's t (1908), of at least 2 independent values.

    Half the width is t(0.975, n - 1)·s/√n, with s the sample's standard deviation.
    """
    spread = statistics.stdev(values) / math.sqrt(len(values))
    return Interval(statistics.fmean(values), float(stats.t.ppf(0.975, len(values) - 1)) * spread)


def format_metric(metric: str, value: float) -> str:
    """Return an accuracy in per cent, or a loss, as text."""
    return f"{100 * value:.2f}" if metric.endswith("accuracy") else f"{value:.4f}"


def format_interval(metric: str, values: Interval) -> str:
    """Return mean ± half width of the interval of a metric, as text."""
    return f"{format_metric(metric, values.mean)} ± {format_metric(metric, values.half)}"
