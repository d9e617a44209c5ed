from pathlib import Path

import numpy as np
import pytest

from experiments.data.dataset import batch_order, load_dataset
from experiments.system.errors import TandemError


def order(epoch: int = 1, seed: int = 1, drop_last: bool = False) -> list[int]:
    return batch_order(103, seed=seed, epoch=epoch, batch_size=10, drop_last=drop_last).tolist()


def test_an_epoch_takes_every_image_once() -> None:
    assert sorted(order()) == list(range(103))


def test_the_order_hangs_on_seed_and_epoch_alone() -> None:
    assert order() == order()
    assert order() != order(epoch=2)
    assert order() != order(seed=2)


def test_the_order_is_the_same_on_every_machine() -> None:
    assert order()[:8] == [7, 18, 50, 84, 95, 12, 53, 48]


def test_drop_last_leaves_out_the_short_batch() -> None:
    assert order(drop_last=True) == order()[:100]


def test_without_a_prepared_dataset_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(TandemError, match="dvc repro preprocess"):
        load_dataset(tmp_path)


def test_the_order_is_no_rotation_of_the_files() -> None:
    steps = np.diff(order())
    assert len(set(steps.tolist())) > 50
