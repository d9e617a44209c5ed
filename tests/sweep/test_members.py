"""Pairs: a trial goes from a worker of one framework to a worker of the other, and is told once."""

from dataclasses import asdict

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from experiments.settings.recipe import BackendName
from experiments.sweep.members import AHEAD, Result, choose, lacking, mean_objective, result_key, results

BOTH: tuple[BackendName, ...] = ("lightning", "keras")


def trial(number: int, *done: BackendName) -> FrozenTrial:
    made = create_trial(
        state=TrialState.WAITING,
        user_attrs={result_key(one): asdict(Result((0.5, 0.25), 3.0, 2.0, 100.0)) for one in done},
    )
    made.number = number
    return made


def numbers(trials: list[FrozenTrial]) -> list[int]:
    return [one.number for one in trials]


def test_the_mean_of_both_is_told() -> None:
    found = {"lightning": Result((0.5, 0.2), 1, 1, 1), "keras": Result((0.7, 0.4), 1, 1, 1)}
    assert mean_objective(found) == pytest.approx([0.6, 0.3])  # type: ignore[arg-type]


def test_a_result_comes_back_as_it_was_kept() -> None:
    assert results(trial(0, "keras"), BOTH) == {"keras": Result((0.5, 0.25), 3.0, 2.0, 100.0)}


def test_a_worker_is_needed_for_what_lacks_its_member_and_for_what_was_not_told() -> None:
    waiting = [trial(0), trial(1, "lightning"), trial(2, "keras"), trial(3, *BOTH)]
    assert numbers(lacking(waiting, BOTH, "lightning")) == [0, 2, 3]
    assert numbers(lacking(waiting, BOTH, "keras")) == [0, 1, 3]
    assert numbers(lacking(waiting, ("keras",), "keras")) == [0, 1, 2, 3]


def test_trials_that_are_begun_come_first() -> None:
    assert numbers(choose([trial(0), trial(1, "keras")], [], BOTH, "lightning")) == [1, 0]


def test_no_framework_runs_ahead_of_the_sampler() -> None:
    ahead = [trial(number, "lightning") for number in range(AHEAD)]
    assert numbers(choose([*ahead, trial(8)], [], BOTH, "lightning")) == []
    # One that the other framework is at work on is still one that the sampler knows nothing of.
    assert numbers(choose([trial(8)], ahead, BOTH, "lightning")) == []
    assert numbers(choose([*ahead[1:], trial(8)], [], BOTH, "lightning")) == [8]
    assert numbers(choose([*ahead, trial(8)], [], BOTH, "keras")) == [0, 1, 8]


def test_a_sweep_in_one_framework_is_never_ahead() -> None:
    waiting = [trial(0), trial(1)]
    assert numbers(choose(waiting, [trial(2), trial(3)], ("keras",), "keras")) == [0, 1]
