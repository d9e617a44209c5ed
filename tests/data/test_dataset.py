from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.data.dataset import batch_order, load_dataset
from experiments.settings.params import Preprocess
from experiments.stages.preprocess import preprocess
from experiments.system.errors import TandemError
from experiments.system.files import write_json


def order(epoch: int = 1, seed: int = 1, drop_last: bool = False) -> list[int]:
    return batch_order(103, seed=seed, epoch=epoch, batch_size=10, drop_last=drop_last).tolist()


def test_an_epoch_takes_every_image_once() -> None:
    assert sorted(order()) == list(range(103))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
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


def test_the_order_is_not_a_rotation_of_the_files() -> None:
    steps = np.diff(order())
    assert len(set(steps.tolist())) > 50


def _flip(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _of_an_earlier_version(path: Path) -> None:
    write_json(path, {"name": "digits", "image_shape": [28, 28]})


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        (
            "training_images.npy",
            _flip,
            "expected arrays of fingerprint [0-9a-f]{12}, as dataset.json says; got [0-9a-f]{12}",
        ),
        ("test_labels.npy", _flip, "expected arrays of fingerprint"),
        ("training_labels.npy", Path.unlink, "expected arrays of fingerprint"),
        (
            "test_images.npy",
            _truncate,
            r"test_images\.npy: expected what preprocess wrote; got a damaged file, ",
        ),
        (
            "test_images.npy",
            lambda path: path.write_bytes(b""),
            r"test_images\.npy: expected .* a damaged file, ",
        ),
        ("dataset.json", _of_an_earlier_version, r"dataset\.json: expected an image_shape of .* of an earlier Tandem"),
        ("dataset.json", _truncate, r"dataset\.json: expected .* damaged file, JSONDecodeError"),
        ("dataset.json", lambda path: path.write_text("{}"), r"dataset\.json: expected .* damaged file, KeyError"),
        ("dataset.json", lambda path: path.write_text("[]"), r"dataset\.json: expected .* damaged file, TypeError"),
        ("dataset.json", lambda path: path.write_bytes(b"\xff"), r"dataset\.json: expected .*, UnicodeDecodeError"),
    ],
)
def test_a_damaged_dataset_is_refused_in_one_line(
    idx_folder: Path, tmp_path: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    preprocess(Preprocess(validation_fraction=0.1, seed=1), idx_folder, tmp_path / "prepared")
    load_dataset(tmp_path / "prepared")
    damage(tmp_path / "prepared" / name)
    with pytest.raises(TandemError, match=rf"{message}.*; run `dvc repro --force preprocess`$") as caught:
        load_dataset(tmp_path / "prepared")
    assert "\n" not in str(caught.value)
