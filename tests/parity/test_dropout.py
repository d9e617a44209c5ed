from typing import Any

import numpy as np
import pytest

from experiments.parity.dropout import DropoutCheck, check_dropout

RATE = 0.4
INPUT = np.abs(np.random.default_rng(0).normal(size=40_000)).astype(np.float32)
INPUT[:10_000] = 0  # as a ReLU leaves them


def passes(*, rate: float = RATE, scale: float = 1 / (1 - RATE), seeds: tuple[int, int] = (1, 2)) -> Any:
    steps = []
    for seed in seeds:
        mask = np.random.default_rng(seed).random(INPUT.shape) >= rate
        steps.append((INPUT, INPUT * mask * np.float32(scale)))
    return tuple(steps)


def check(steps: Any, evaluation: Any = (INPUT, INPUT)) -> DropoutCheck:
    return check_dropout("dropout", rate=RATE, passes=[evaluation, *steps])


def test_dropout_as_defined_passes() -> None:
    result = check(passes())
    assert result.problem is None
    assert result.kept == pytest.approx(1 - RATE, abs=0.01)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (passes(rate=0.43), "keeps 0.5"),
        (passes(scale=1.0), "does not scale"),
        (passes(scale=1.001 / (1 - RATE)), "does not scale"),
        (passes(seeds=(1, 1)), "draws masks that agree in 1.0000 of elements"),
    ],
)
def test_what_is_no_dropout_is_reported(steps: Any, problem: str) -> None:
    assert str(check(steps).problem).startswith(problem)


def test_dropout_is_off_in_evaluation() -> None:
    assert check(passes(), evaluation=passes()[0]).problem == "changes its input in evaluation"


def test_chance_fails_no_more_often_than_stated() -> None:
    # 400 checks at an error probability of 1e-6 for each test: one failure is expected in 1,250 runs of this.
    assert all(check(passes(seeds=(seed, 1000 + seed))).problem is None for seed in range(10, 410))
