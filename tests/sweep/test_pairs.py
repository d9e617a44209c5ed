import numpy as np
import pytest
from optuna.trial import FrozenTrial, create_trial

from experiments.sweep.pairs import draw_pairs, pairs_of, verdict
from experiments.sweep.trials import Result, result_key
from tests.sweep.conftest import MakePlan


def trials(*values: tuple[float, float]) -> list[FrozenTrial]:
    found = []
    for number, (lightning, keras) in enumerate(values):
        results = {"lightning": Result((lightning,), 1, 1, 1), "keras": Result((keras,), 1, 1, 1)}
        attrs = {result_key(name): one.to_attribute() for name, one in results.items()}  # type: ignore[arg-type]
        trial = create_trial(value=(lightning + keras) / 2, user_attrs=attrs)
        trial.number = number
        found.append(trial)
    return found


def test_two_frameworks_that_agree(make: MakePlan) -> None:
    pairs = pairs_of(make("both"), trials((0.4, 0.41), (0.1, 0.12), (0.3, 0.29), (0.2, 0.2)))
    assert pairs.correlation == pytest.approx(1)
    assert pairs.agree
    assert verdict(pairs) == [
        "Rank correlation (Spearman): 1.000 over 4 points.",
        "Both frameworks have the same best settings: trial 1.",
    ]


def test_two_frameworks_that_disagree(make: MakePlan) -> None:
    pairs = pairs_of(make("both"), trials((0.1, 0.4), (0.2, 0.3), (0.3, 0.2), (0.4, 0.1)))
    assert pairs.correlation == pytest.approx(-1)
    assert verdict(pairs)[1:] == [
        "The best settings differ: trial 0 in lightning, trial 3 in keras.",
        "lightning's best is number 4 of 4 in keras.",
        "keras's best is number 4 of 4 in lightning.",
    ]


def test_of_accuracies_the_highest_is_best(make: MakePlan) -> None:
    pairs = pairs_of(make("both", objective="val/accuracy"), trials((0.1, 0.1), (0.9, 0.8), (0.8, 0.9)))
    assert pairs.best == (1, 2)
    assert verdict(pairs) == [
        "Rank correlation: 3 point(s) are too few.",
        "The best settings differ: trial 1 in lightning, trial 2 in keras.",
        "lightning's best is number 2 of 3 in keras.",
        "keras's best is number 2 of 3 in lightning.",
    ]


def test_the_scatter_has_a_point_for_each_pair(make: MakePlan) -> None:
    figure = draw_pairs(pairs_of(make("both"), trials((0.4, 0.41), (0.1, 0.12), (0.3, 0.29), (0.2, 0.2))))
    (axes,) = figure.axes
    points, *marks = axes.collections
    assert np.asarray(points.get_offsets()).tolist() == [[0.4, 0.41], [0.1, 0.12], [0.3, 0.29], [0.2, 0.2]]
    assert [np.asarray(mark.get_offsets()).tolist() for mark in marks] == [[[0.1, 0.12]], [[0.1, 0.12]]]
    assert "rank correlation 1.000" in axes.get_title()
