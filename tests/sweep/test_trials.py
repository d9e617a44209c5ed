"""What a trial keeps, and what Optuna is told."""

import json
import math

import pytest
from optuna.trial import TrialState, create_trial

from experiments.settings.recipe import BackendName
from experiments.sweep.trials import (
    Result,
    final_value,
    has_diverged,
    mean_objective,
    result_key,
    result_of,
    results,
)
from experiments.training.messages import Outcome

BOTH: tuple[BackendName, ...] = ("lightning", "keras")
GOOD, BETTER = Result((0.5, 0.25), 3.0, 2.0, 100.0), Result((0.3, 0.15), 3.0, 2.0, 100.0)
DIVERGED = Result((0.5,), 3.0, 2.0, 100.0, "train/loss is nan in epoch 2, step 1")


@pytest.mark.parametrize("result", [GOOD, DIVERGED, Result((), 0.0, 0.0, 0.0, "val/loss is inf after epoch 1")])
def test_a_result_comes_back_as_it_was_kept(result: Result) -> None:
    kept = json.loads(json.dumps(result.to_attribute()))
    assert results(create_trial(state=TrialState.WAITING, user_attrs={result_key("keras"): kept}), BOTH) == {
        "keras": result
    }


def test_a_trial_has_no_result_of_a_member_that_is_not_its_own() -> None:
    trial = create_trial(state=TrialState.WAITING, user_attrs={result_key("keras"): GOOD.to_attribute()})
    assert results(trial, ("lightning",)) == {}


def test_the_result_of_an_outcome_has_its_finite_values() -> None:
    outcome = Outcome("diverged", (0.5, math.nan), 3.0, 2.0, 100.0, "val/loss is nan after epoch 2")
    assert result_of(outcome) == Result((0.5,), 3.0, 2.0, 100.0, "val/loss is nan after epoch 2")
    assert math.isnan(result_of(outcome).value)


def test_a_trial_in_one_framework_is_told_as_it_ended() -> None:
    assert final_value({"keras": GOOD}, worst=math.inf) == 0.25


def test_the_mean_of_both_is_told() -> None:
    assert final_value({"lightning": GOOD, "keras": BETTER}, worst=math.inf) == pytest.approx(0.2)
    assert mean_objective({"lightning": GOOD, "keras": BETTER}) == pytest.approx([0.4, 0.2])


@pytest.mark.parametrize("worst", [math.inf, -math.inf])
def test_one_member_that_diverges_makes_the_whole_the_worst_there_is(worst: float) -> None:
    assert final_value({"lightning": GOOD, "keras": DIVERGED}, worst=worst) == worst
    assert mean_objective({"lightning": BETTER, "keras": DIVERGED}) == pytest.approx([0.4])


def test_only_a_complete_trial_without_a_number_has_diverged() -> None:
    assert has_diverged(create_trial(value=math.inf))
    assert not has_diverged(create_trial(value=0.5))
    assert not has_diverged(create_trial(value=0.0))
    assert not has_diverged(create_trial(state=TrialState.FAIL))
