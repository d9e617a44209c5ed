from typing import Any

import numpy as np
import pytest

from experiments.contract.schedule import learning_rates, steps_of_epoch
from experiments.settings.recipe import Recipe

BASE: dict[str, Any] = {"architecture": "mlp", "scaling": "unit", "optimiser": "adam", "lr": 0.5, "batch_size": 4}


def rates(*, images: int = 10, epochs: int = 2, drop_last: bool = False, **schedule: Any) -> list[float]:
    """The rates of a training of 3 steps an epoch, or 2 if the last is dropped."""
    recipe = Recipe.model_validate({**BASE, "epochs": epochs, "drop_last": drop_last, "schedule": schedule})
    table = learning_rates(recipe, images)
    assert table is not None
    assert (table.dtype.name, len(table)) == ("float64", steps_of_epoch(recipe, images) * epochs)
    return table.tolist()


def test_without_a_schedule_there_is_no_table() -> None:
    assert learning_rates(Recipe.model_validate({**BASE, "epochs": 1}), 10) is None


def test_a_step_comes_with_the_first_step_of_an_epoch() -> None:
    assert rates(epochs=3, kind="step", every_epochs=2, gamma=0.5) == [0.5] * 6 + [0.25] * 3
    halved = rates(epochs=3, drop_last=True, kind="step", every_epochs=1, gamma=0.5)
    assert halved == [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_a_warm_up_ends_with_the_kind_s_first_rate_and_the_kind_takes_the_rest() -> None:
    assert rates(kind="constant", warmup_steps=4) == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]
    assert rates(kind="constant", warmup_epochs=1) == pytest.approx([0.5 / 3, 1 / 3, 0.5, 0.5, 0.5, 0.5], rel=1e-15)
    whole, shorter = rates(epochs=3, kind="cosine", warmup_epochs=1), rates(epochs=2, kind="cosine")
    assert whole[3:] == shorter
    assert rates(epochs=3, kind="one_cycle", warmup_epochs=1)[2:] == pytest.approx([0.02, *rates(kind="one_cycle")])


def test_a_cosine_falls_towards_its_last_share() -> None:
    assert rates(kind="cosine")[::3] == pytest.approx([0.5, 0.25], rel=1e-15)
    assert rates(kind="cosine", final_share=0.2)[::3] == pytest.approx([0.5, 0.3], rel=1e-15)
    assert min(rates(kind="cosine")) == pytest.approx(0.25 * (1 - np.cos(np.pi / 6)), rel=1e-14)


def test_one_cycle_rises_to_the_rate_and_falls_far_below_its_first() -> None:
    table = rates(images=40, kind="one_cycle")
    assert (table[0], table[5], table[-1]) == pytest.approx((0.02, 0.5, 2e-6), rel=1e-12)
    assert rates(images=40, kind="one_cycle", pct_start=0.5, div_factor=10.0, final_div_factor=1.0)[9] == 0.5
    assert rates(images=2, epochs=1, kind="one_cycle") == [2e-6]  # too short for a cycle: its end
