"""Images as a caller may have them, for a model of one channel and one of three."""

import numpy as np
import pytest

from experiments.predicting.arrays import as_batch
from experiments.system.errors import TandemError

GREY, COLOUR, BYTES = (28, 28, 1), (32, 24, 3), np.dtype(np.uint8)


@pytest.mark.parametrize("given", [(5, 28, 28), (5, 28, 28, 1), (28, 28), (28, 28, 1), (28, 28, 28), (1, 28, 28)])
def test_images_of_one_channel_may_leave_it_out(given: tuple[int, ...]) -> None:
    pixels = np.arange(np.prod(given), dtype=np.int64).reshape(given) % 256
    batch, is_one = as_batch(pixels.tolist(), GREY, BYTES)
    assert batch.shape == (1 if is_one else given[0], *GREY)
    assert is_one == (given in ((28, 28), (28, 28, 1)))
    assert batch.dtype == np.uint8
    assert (batch.ravel() == pixels.ravel()).all()


@pytest.mark.parametrize("given", [(5, 32, 24, 3), (32, 24, 3)])
def test_images_of_three_channels_have_them_last(given: tuple[int, ...]) -> None:
    batch, is_one = as_batch(np.zeros(given, np.uint8), COLOUR, BYTES)
    assert (batch.shape[1:], is_one) == (COLOUR, given == COLOUR)


SHAPES = r"images: expected an array \(n, 28, 28, 1\) or \(n, 28, 28\), n at least 1; got "
RANGE = "images: expected raw pixels, uint8, 0 to 255; got "


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((5, 27, 28), np.uint8), SHAPES + r"\(5, 27, 28\)"),
        (np.zeros((5, 1, 28, 28), np.uint8), SHAPES + r"\(5, 1, 28, 28\)"),
        (np.zeros((0, 28, 28), np.uint8), SHAPES + r"\(0, 28, 28\)"),
        (np.zeros(784, np.uint8), SHAPES + r"\(784,\)"),
        ("digits.png", SHAPES + r"\(\)"),
        ([[1, 2], [3]], SHAPES + "rows of different lengths"),
        (np.zeros((28, 28)), RANGE + "float64; don't scale them: the model does"),
        (np.zeros((28, 28), bool), RANGE + "bool"),
        (np.full((28, 28), 256), RANGE + "int64, 256 to 256"),
        (np.full((28, 28), -1), RANGE + "int64, -1 to -1"),
    ],
)
def test_other_images_are_refused_in_one_line(images: object, message: str) -> None:
    with pytest.raises(TandemError, match=f"^{message}") as refused:
        as_batch(images, GREY, BYTES)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


def test_pixels_of_16_bits_stay_what_they_are() -> None:
    batch, _ = as_batch(np.full((2, 28, 28), 65535), GREY, np.dtype(np.uint16))
    assert (batch.dtype.name, batch.max()) == ("uint16", 65535)
