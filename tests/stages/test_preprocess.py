from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from experiments.data.dataset import SPLITS, TrainOn, load_dataset
from experiments.data.idx import read_idx
from experiments.settings.params import Preprocess
from experiments.stages.preprocess import preprocess
from experiments.system.files import read_json

SETTINGS = Preprocess(validation_fraction=0.1, seed=1)


def test_every_image_is_in_one_split_with_its_label(idx_folder: Path, tmp_path: Path) -> None:
    preprocess(SETTINGS, idx_folder, tmp_path / "prepared")
    dataset = load_dataset(tmp_path / "prepared")
    images, labels = (
        read_idx(idx_folder / "train-images-idx3-ubyte", 3),
        read_idx(idx_folder / "train-labels-idx1-ubyte", 1),
    )
    both = dataset.training_split("train+validation")
    assert {image.tobytes(): label for image, label in zip(both.images, both.labels, strict=True)} == {
        image.tobytes(): label for image, label in zip(images, labels, strict=True)
    }
    assert len(both.labels) == 200
    test = dataset.split("test").images[..., 0]
    np.testing.assert_array_equal(test, read_idx(idx_folder / "t10k-images-idx3-ubyte", 3))


def test_the_files_are_on_disk(idx_folder: Path, tmp_path: Path, is_synced: Callable[[Path], bool]) -> None:
    preprocess(SETTINGS, idx_folder, tmp_path / "work" / "prepared")
    assert len(list((tmp_path / "work" / "prepared").iterdir())) == 5
    assert is_synced(tmp_path / "work")


def test_the_split_is_stratified_and_counted(idx_folder: Path, tmp_path: Path) -> None:
    preprocess(SETTINGS, idx_folder, tmp_path / "prepared")
    dataset = load_dataset(tmp_path / "prepared")
    info = read_json(tmp_path / "prepared" / "dataset.json")
    assert info["images_per_class"] == {"train": [45] * 4, "validation": [5] * 4, "test": [15] * 4}
    for split in SPLITS:
        assert np.bincount(dataset.split(split).labels).tolist() == info["images_per_class"][split]
    assert dataset.name == "own"
    assert dataset.classes == 4


def test_statistics_are_of_the_images_trained_on(idx_folder: Path, tmp_path: Path) -> None:
    preprocess(SETTINGS, idx_folder, tmp_path / "prepared")
    dataset = load_dataset(tmp_path / "prepared")
    for train_on in get_args(TrainOn):
        statistics = dataset.statistics[train_on]
        scaled = dataset.training_split(train_on).images / 255
        standardised = (scaled - statistics.mean) / statistics.std
        assert abs(standardised.mean()) < 1e-12
        assert standardised.std() == pytest.approx(1, abs=1e-12)
    assert dataset.statistics["train"] != dataset.statistics["train+validation"]


def test_the_fingerprint_follows_the_content_and_the_split(idx_folder: Path, tmp_path: Path) -> None:
    def fingerprint(seed: int) -> str:
        preprocess(Preprocess(validation_fraction=0.1, seed=seed), idx_folder, tmp_path / "prepared")
        return load_dataset(tmp_path / "prepared").fingerprint

    first = fingerprint(1)
    assert fingerprint(1) == first
    assert fingerprint(2) != first
    path = idx_folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert fingerprint(1) != first


def test_your_own_data_may_be_packed_and_named(idx_folder: Path, tmp_path: Path) -> None:
    import gzip

    for path in list(idx_folder.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    (idx_folder / "name.txt").write_text("noise\n")
    preprocess(SETTINGS, idx_folder, tmp_path / "prepared")
    assert load_dataset(tmp_path / "prepared").name == "noise"
