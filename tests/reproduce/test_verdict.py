"""The verdict on a repetition, from what two runs keep of their bits."""

import math
from dataclasses import replace
from typing import Any

import pytest

from experiments.reproduce.verdict import Grade, Trace, judge

RECORDED = Trace(
    code="c0de",
    data="da7a",
    initial_weights="1",
    batch_order="2",
    first_batch_loss="2.3",
    losses={50: 1.0, 100: 0.5, 101: 0.25},
    metrics={"train/loss": {1: 0.75, 2: 0.3}, "test/loss": {2: 0.4}, "test/accuracy": {2: 0.9}},
    final_weights="3",
)
SEEDS = {2: {"test/loss": 0.5, "test/accuracy": 0.85}, 3: {"test/loss": 0.45, "test/accuracy": 0.92}}


def later(loss: float, accuracy: float = 0.9) -> Trace:
    """Return a training that started alike and ended otherwise."""
    metrics = {"train/loss": {1: 0.75, 2: 0.31}, "test/loss": {2: loss}, "test/accuracy": {2: accuracy}}
    return replace(RECORDED, losses={50: 1.0, 100: 0.5 + 1e-9, 101: 0.26}, metrics=metrics, final_weights="4")


def test_the_same_of_everything_is_the_same_bits() -> None:
    verdict = judge(RECORDED, RECORDED, {})
    assert (verdict.grade, verdict.parted, verdict.compared, verdict.weights_known) == (Grade.SAME, (), 13, True)


def test_a_loss_that_is_no_number_is_itself() -> None:
    diverged = replace(RECORDED, losses={50: math.nan})
    assert judge(diverged, replace(diverged, losses={50: float("nan")}), {}).grade == Grade.SAME
    assert judge(diverged, RECORDED, {}).grade == Grade.DIFFERS


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"code": "x", "initial_weights": "x", "batch_order": "x"}, "code"),
        ({"data": "x", "final_weights": "x"}, "data"),
        ({"initial_weights": "x", "batch_order": "x"}, "initial weights"),
        ({"batch_order": "x"}, "batch order"),
        ({"first_batch_loss": "2.4"}, "loss of the first batch"),
        ({"losses": {50: 1.0, 100: 0.6, 101: 0.2}}, "loss of steps 51 to 100"),
        ({"losses": {50: 1.0, 100: 0.5}}, "loss of step 101"),
        ({"metrics": {**RECORDED.metrics, "test/loss": {2: 0.41}}}, "test/loss after epoch 2"),
        ({"final_weights": "x"}, "final weights"),
    ],
)
def test_what_parted_first_is_named(change: dict[str, Any], what: str) -> None:
    verdict = judge(RECORDED, replace(RECORDED, **change), {})
    assert verdict.first is not None
    assert (verdict.grade, verdict.first.what) == (Grade.DIFFERS, what)


def test_both_values_are_shown() -> None:
    verdict = judge(RECORDED, later(0.4), {})
    assert str(verdict.first) == "loss of steps 51 to 100: 0.5 in the record, 0.500000001 now"


@pytest.mark.parametrize(
    ("loss", "accuracy", "grade"),
    [
        (0.5, 0.9, Grade.WITHIN),  # the seeds range from 0.4 to 0.5
        (0.31, 0.9, Grade.WITHIN),
        (0.51, 0.9, Grade.DIFFERS),
        (0.4, 0.8, Grade.DIFFERS),
        (math.nan, 0.9, Grade.DIFFERS),
    ],
)
def test_the_spread_of_seeds_is_the_measure(loss: float, accuracy: float, grade: Grade) -> None:
    assert judge(RECORDED, later(loss, accuracy), SEEDS).grade == grade


def test_without_a_recorded_spread_there_is_no_tolerance() -> None:
    verdict = judge(RECORDED, later(0.4 + 1e-12), {2: SEEDS[2]})
    assert (verdict.grade, verdict.seeds) == (Grade.DIFFERS, (2,))
    assert verdict.finals["test/loss"][:2] == (0.4, 0.4 + 1e-12)


def test_another_start_is_another_training_however_near_its_end() -> None:
    assert judge(RECORDED, replace(later(0.4), initial_weights="x"), SEEDS).grade == Grade.DIFFERS


def test_other_code_with_the_same_bits_is_no_difference() -> None:
    verdict = judge(RECORDED, replace(RECORDED, code="x"), {})
    assert verdict.grade == Grade.SAME
    assert [each.what for each in verdict.parted] == ["code"]


def test_what_an_older_version_did_not_record_is_not_compared() -> None:
    older = replace(RECORDED, first_batch_loss="", final_weights="")
    verdict = judge(older, RECORDED, {})
    assert (verdict.grade, verdict.compared, verdict.weights_known) == (Grade.SAME, 11, False)
