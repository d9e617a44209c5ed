import numpy as np
import pytest
from scipy import stats

from experiments.reports.intervals import interval


def test_the_interval_is_student_s() -> None:
    values = [0.95, 0.96, 0.955, 0.97]
    one = interval(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (one.mean - one.half, one.mean + one.half) == pytest.approx((low, high))


def test_two_values_are_the_least_there_can_be() -> None:
    # t(0.975, 1) = 12.706, s/√2 = |a - b|/2
    assert interval([0.0, 2.0]).half == pytest.approx(12.706, abs=1e-3)
    assert interval([1.0, 1.0]).holds(1.0)
    assert not interval([1.0, 1.0]).holds(1.1)


def test_it_covers_the_truth_95_times_in_100() -> None:
    generator = np.random.default_rng(0)
    covered = [interval(generator.normal(3.0, 1.0, 5).tolist()).holds(3.0) for _ in range(2000)]
    # Binomial(2000, 0.95): ± 4 deviations of 0.0049.
    assert 0.93 < np.mean(covered) < 0.97
