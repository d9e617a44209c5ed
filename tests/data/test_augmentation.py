"""Images that are changed at random: how often, how far, and on what it depends."""

from typing import Any

import numpy as np
import pytest

from experiments.data.augmentation import Changes, draw_changes, rotated, shifted
from experiments.data.dataset import PIXEL_TYPES, Images, PixelType
from experiments.data.feed import Feed
from experiments.settings.augmentation import Augmentation
from experiments.settings.recipe import Recipe

ALL = Augmentation(shift=2, flip=True, rotate=10.0)
COUNT = 20_000


def noise(pixel_type: PixelType = "uint8", channels: int = 3) -> Images:
    generator = np.random.default_rng(1)
    return generator.integers(0, np.iinfo(pixel_type).max, (50, 12, 10, channels), pixel_type, endpoint=True)


def changes(augmentation: Augmentation = ALL, epoch: int = 1) -> Changes:
    return draw_changes(augmentation, COUNT, seed=1, epoch=epoch)


def test_the_settings_are_what_is_drawn() -> None:
    drawn = changes()
    assert drawn.flips.mean() == pytest.approx(0.5, abs=0.02)
    values, counts = np.unique(drawn.shifts, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(counts / counts.sum(), 0.2, atol=0.01)
    assert drawn.shifts.mean(axis=0) == pytest.approx([0, 0], abs=0.04)
    assert np.abs(drawn.angles).max() == pytest.approx(10, abs=0.01)
    assert drawn.angles.mean() == pytest.approx(0, abs=0.2)


def test_an_epoch_has_its_own_changes_and_a_setting_its_own_stream() -> None:
    assert not np.array_equal(changes().shifts, changes(epoch=2).shifts)
    np.testing.assert_array_equal(changes().shifts, changes(Augmentation(shift=2)).shifts)
    np.testing.assert_array_equal(changes().flips, changes(Augmentation(flip=True)).flips)


@pytest.mark.parametrize("pixel_type", PIXEL_TYPES)
def test_changes_of_zero_change_nothing(pixel_type: PixelType) -> None:
    images, none = noise(pixel_type), np.zeros((50, 2), np.int16)
    for same in (shifted(images, none), rotated(images, np.zeros(50, np.float32), none)):
        np.testing.assert_array_equal(same, images)
        assert same.dtype == pixel_type


def test_both_ways_move_images_alike_and_fill_with_0() -> None:
    images, shifts = noise(), changes().shifts[:50]
    moved = shifted(images, shifts)
    np.testing.assert_array_equal(rotated(images, np.zeros(50, np.float32), shifts), moved)
    down_left = np.full((50, 2), [2, -1], np.int16)
    moved = shifted(images, down_left)
    np.testing.assert_array_equal(moved[:, 2:, :-1], images[:, :-2, 1:])
    assert not moved[:, :2].any()
    assert not moved[:, :, -1].any()


def test_a_turn_is_counterclockwise_about_the_centre() -> None:
    square = noise()[:, :10]
    turned = rotated(square, np.full(50, 90, np.float32), np.zeros((50, 2), np.int16))
    np.testing.assert_array_equal(turned, np.rot90(square, axes=(1, 2)))


def recipe(**settings: Any) -> Recipe:
    base = {"architecture": "mlp", "scaling": "unit", "optimiser": "sgd", "lr": 0.1, "momentum": 0.0, "epochs": 1}
    augmentation = {"shift": 2, "flip": True, "rotate": 10}
    return Recipe.model_validate({**base, "batch_size": 8, "augmentation": augmentation, **settings})


def epoch(settings: Recipe, batches: int) -> tuple[Images, Any]:
    labels = np.arange(50, dtype=np.uint16)  # the image's own number
    blocks = list(Feed(noise(), labels, settings, seed=1, batches=batches).blocks(1))
    assert [len(part) for part, _ in blocks][:-1] == [batches * settings.batch_size] * (len(blocks) - 1)
    images, numbers = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return images, numbers


def test_an_image_is_changed_alike_whatever_its_block_and_batch_are() -> None:
    images, numbers = epoch(recipe(), 1)
    for settings, batches in ((recipe(), 3), (recipe(batch_size=5), 100)):
        others, their_numbers = epoch(settings, batches)
        np.testing.assert_array_equal(images[np.argsort(numbers)], others[np.argsort(their_numbers)])
    assert len(epoch(recipe(batch_size=8, drop_last=True), 3)[1]) == 48
