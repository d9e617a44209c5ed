from typing import Any

import numpy as np
import pytest

from experiments.reports.outlook import estimate
from experiments.reports.published import PUBLISHED, _entry, to_markdown
from experiments.settings.project import RunKey
from experiments.training.outputs import Outputs

SEEDS = (1, 2)


def outputs(accuracy: float, epochs: int) -> Outputs:
    history = [
        {"epoch": float(epoch), "train/loss": 1 / epoch, "test/accuracy": accuracy, "test/loss": 0.5 / epoch}
        for epoch in range(1, epochs + 1)
    ]
    return Outputs({"test/accuracy": accuracy}, history, {}, np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1))


def entry(recipe: str, epochs: int = 5, ahead: float = 0.001) -> dict[str, Any]:
    runs = {RunKey(recipe, "lightning", seed): outputs(0.95 + seed / 100, epochs) for seed in SEEDS}
    runs |= {RunKey(recipe, "keras", seed): outputs(0.95 + seed / 100 + ahead, epochs) for seed in SEEDS}
    return _entry(recipe, SEEDS, runs)


def test_a_published_result_is_beside_mean_and_interval() -> None:
    lines = [" ".join(line.split()) for line in to_markdown("mnist", SEEDS, [entry("lenet")]).splitlines()]
    # Of 0.96 and 0.97: the mean, and t(0.975, 1) = 12.706 times half their distance.
    assert "| test/accuracy | 1 | 86.51 | 96.50 ± 6.35 | 96.60 ± 6.35 |" in lines
    assert sum(line.startswith("| test/") for line in lines) == 10


def test_pairs_are_compared_seed_by_seed() -> None:
    result = entry("lenet", ahead=0.001)
    assert result["paired"] == pytest.approx([0.001, 0.001])
    assert "does **not** contain 0" in to_markdown("mnist", SEEDS, [result])
    assert "the interval contains 0" in to_markdown("mnist", SEEDS, [entry("lenet", ahead=0.0)])


def test_a_recipe_cut_short_shows_the_epochs_that_it_has() -> None:
    assert len(entry("lenet", epochs=3)["rows"]) == 6


def test_a_recipe_without_published_results_shows_its_end() -> None:
    rows = entry("mlp", epochs=7)["rows"]
    assert {row["epoch"] for row in rows} == {7}
    assert {row["published"] for row in rows} == {None}
    assert "mlp" not in PUBLISHED


def test_the_time_left_is_that_of_alike_trainings() -> None:
    took = {RunKey("a", "keras", 1): 10.0, RunKey("a", "lightning", 1): 30.0}
    missing = [RunKey("a", "keras", 2), RunKey("a", "lightning", 2), RunKey("b", "keras", 1)]
    assert estimate(took, missing) == pytest.approx(10 + 30 + 20)
