"""Prepared arrays of grey images and of colour, with 8 and 16 bits, written in blocks."""

from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import numpy as np
import pytest

from experiments.contract.model_settings import model_settings
from experiments.data import prepare
from experiments.data.dataset import Dataset, PixelType, Split, TrainOn, described, largest_pixel, load_dataset
from experiments.data.prepare import write_description, write_split
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.training.fits import check_fits

KEPT, HELD_OUT, TEST = 70, 20, 10
KINDS: list[tuple[PixelType, int]] = [("uint8", 1), ("uint8", 3), ("uint16", 1), ("uint16", 3)]


def noise(pixel_type: PixelType, channels: int) -> Split:
    """Return images, the last channel of which is darker."""
    count, white = KEPT + HELD_OUT + TEST, largest_pixel(pixel_type)
    images = np.random.default_rng(1).integers(0, white, (count, 9, 8, channels), pixel_type, endpoint=True)
    images[..., -1] //= 2
    return Split(images, (np.arange(count) % 4).astype(np.uint16))


def written(folder: Path, raw: Split) -> Dataset:
    """Write the images in reverse order, in blocks of 3."""
    folder.mkdir()
    order = np.arange(len(raw.labels))[::-1]
    with patch.object(prepare, "BLOCK_BYTES", 3 * raw.images[:1].nbytes):
        training = write_split(folder, "training", raw, order[:-TEST])
        test = write_split(folder, "test", raw, order[-TEST:])
        about = {"name": "noise", "classes": 4, "class_names": ("a", "b", "c", "d")}
        write_description(folder, about, training, test, KEPT)
    return load_dataset(folder)


def recipe(**settings: Any) -> Recipe:
    base = {"architecture": "mlp", "scaling": "standardised", "optimiser": "adam", "lr": 0.1, "epochs": 1}
    return Recipe.model_validate({**base, "batch_size": 8, **settings})


@pytest.mark.parametrize(("pixel_type", "channels"), KINDS)
def test_what_is_written_is_what_is_read(tmp_path: Path, pixel_type: PixelType, channels: int) -> None:
    raw = noise(pixel_type, channels)
    dataset = written(tmp_path / "prepared", raw)
    assert (dataset.image_shape, dataset.pixel_type) == ((9, 8, channels), pixel_type)
    assert dataset.class_names == ("a", "b", "c", "d")
    assert described(tmp_path / "prepared") == dataset
    parts = [dataset.split("train"), dataset.split("validation"), dataset.split("test")]
    assert [len(part.labels) for part in parts] == [KEPT, HELD_OUT, TEST]
    np.testing.assert_array_equal(np.concatenate([part.images for part in parts])[::-1], raw.images)
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts])[::-1], raw.labels)
    both = dataset.training_split("train+validation").images
    assert isinstance(both, np.memmap)
    np.testing.assert_array_equal(both, np.concatenate([part.images for part in parts[:2]]))


@pytest.mark.parametrize(("pixel_type", "channels"), KINDS)
@pytest.mark.parametrize("train_on", get_args(TrainOn))
def test_each_channel_is_standardised(tmp_path: Path, pixel_type: PixelType, channels: int, train_on: TrainOn) -> None:
    dataset = written(tmp_path / "prepared", noise(pixel_type, channels))
    images = dataset.training_split(train_on).images
    settings = model_settings(recipe(train_on=train_on), dataset)
    standardised = images * np.array(settings.scale) + np.array(settings.offset)
    np.testing.assert_allclose(standardised.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(standardised.std(axis=(0, 1, 2)), 1, atol=1e-12)
    scaled = images * np.array(model_settings(recipe(scaling="unit"), dataset).scale)
    assert scaled.max() == pytest.approx(1 if channels > 1 else 0.5, abs=0.01)


def test_a_channel_without_a_difference_is_refused(tmp_path: Path) -> None:
    raw = noise("uint8", 3)
    raw.images[..., 2] = 7
    with pytest.raises(TandemError, match="expected training images that differ; got every pixel 7 in channel 2"):
        written(tmp_path / "prepared", raw)


@pytest.mark.parametrize(
    ("channels", "settings", "message"),
    [
        (1, {"scaling": "imagenet"}, r"recipes\.x\.scaling: expected unit or standardised, since mlp gets images of 1"),
        (3, {"scaling": "imagenet"}, None),
        (1, {"scaling": "imagenet", "architecture": "resnet101"}, None),
        (3, {"scaling": "imagenet", "architecture": "resnet101"}, None),
    ],
)
def test_imagenet_s_scaling_is_for_three_channels(
    tmp_path: Path, channels: int, settings: dict[str, Any], message: str | None
) -> None:
    dataset = written(tmp_path / "prepared", noise("uint8", channels))
    if message is None:
        check_fits("x", recipe(**settings), dataset)
    else:
        with pytest.raises(TandemError, match=message):
            check_fits("x", recipe(**settings), dataset)
