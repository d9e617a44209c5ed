"""Images as a caller has them, checked against what a model takes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.system.errors import TandemError

Array = npt.NDArray[Any]


def as_batch(
    images: npt.ArrayLike,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    asked_by: object = "images",
    advice: str = "",
) -> tuple[Array, bool]:
    """Return images as (n, height, width, channels) of the model's type, and whether it was one image without n.

    `shape` is the model's (height, width, channels); images of one channel may leave the last axis out.

    Raises:
        TandemError: they have another shape, or are no whole numbers in the range of `dtype`. It names
            `asked_by`, and `advice` says what to do about another shape.
    """
    expected = f"{asked_by}: expected an array {_shapes(shape)}, n at least 1"
    try:
        array = np.asarray(images)
    except ValueError:
        raise TandemError(f"{expected}; got rows of different lengths; correct them") from None
    grey = shape[2] == 1
    is_one = array.shape in ((shape, shape[:2]) if grey else (shape,))
    batch = array[np.newaxis] if is_one else array
    if grey and batch.shape[1:] == shape[:2]:
        batch = batch[..., np.newaxis]
    if batch.shape[1:] != shape or not len(batch):
        raise TandemError(f"{expected}; got {_shown(array.shape)}", advice=advice)
    _check_range(batch, dtype, asked_by)
    return batch.astype(dtype, copy=False), is_one


def answers_of(logits: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """Return the class of each image, int64 of shape (n,), and the probability of each class, float64 (n, classes)."""
    from scipy.special import softmax

    return logits.argmax(axis=1).astype(np.int64), softmax(logits.astype(np.float64), axis=1)


def _check_range(batch: Array, dtype: np.dtype[Any], asked_by: object) -> None:
    largest = np.iinfo(dtype).max
    expected = f"{asked_by}: expected raw pixels, {dtype}, 0 to {largest}"
    if batch.dtype.kind not in "iu":
        raise TandemError(f"{expected}; got {batch.dtype}; don't scale them: the model does")
    if batch.dtype != dtype and (batch.min() < 0 or batch.max() > largest):
        raise TandemError(f"{expected}; got {batch.dtype}, {batch.min()} to {batch.max()}; correct them")


def _shapes(shape: tuple[int, int, int]) -> str:
    shapes = [("n", *shape)] + [("n", *shape[:2])] * (shape[2] == 1)
    return " or ".join(_shown(each) for each in shapes)


def _shown(shape: tuple[object, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
