"""What images, labels and names have to be like; each that isn't is refused in one line that says what is supported."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.system.errors import TandemError

MOST_CLASSES = 1000
LONGEST_NAME = 40
BLOCK = 256  # images that are looked at in one go


def check_name(where: object, name: str) -> str:
    """Return the name of a dataset, which is part of file names, MLflow's tags and titles.

    Raises:
        TandemError: it can't be.
    """
    if not re.fullmatch(rf"[\w.-]{{1,{LONGEST_NAME}}}", name):
        length = f" ({len(name)} characters)" if len(name) > LONGEST_NAME else ""
        raise TandemError(
            f"{where}: expected a name of 1 to {LONGEST_NAME} letters, digits, '.', '-' and '_'; "
            f"got {name[:LONGEST_NAME]!r}{length}"
        )
    return name


def check_class_names(where: object, names: Sequence[str], classes: int) -> tuple[str, ...]:
    """Return the names of the classes.

    Raises:
        TandemError: they are too few, too many or too long, or can't be printed, or told apart.
    """
    if len(names) != classes:
        raise TandemError(f"{where}: expected a name a line for each of {classes} classes; got {len(names)}")
    for name in names:
        shown = name.encode(errors="replace").decode()
        if not 1 <= len(name) <= LONGEST_NAME or name != shown or any(unicodedata.category(c) == "Cc" for c in name):
            raise TandemError(
                f"{where}: expected names of classes of 1 to {LONGEST_NAME} printable characters in UTF-8; "
                f"got {shown[:LONGEST_NAME]!r}{f' ({len(name)} characters)' if len(name) > LONGEST_NAME else ''}"
            )
    if len(set(names)) < classes:
        twice = next(name for name in names if names.count(name) > 1)
        raise TandemError(f"{where}: expected names of classes that differ; got {twice!r} twice")
    return tuple(names)


def as_labels(where: object, array: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    """Return labels as uint16 of shape (n,), given any array.

    Raises:
        TandemError: they aren't whole numbers from 0 to 999, one an image.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = "; of one-hot labels, take numpy.argmax(labels, axis=1)" if array.ndim == 2 else ""
        raise TandemError(f"{where}: expected a label an image, shape (n,); got shape {array.shape}{hint}")
    if not array.size:
        raise TandemError(f"{where}: expected labels; got none: training and test set need images")
    if array.dtype.kind not in "iu":
        nan = " with NaN" if array.dtype.kind == "f" and np.isnan(array).any() else ""
        raise TandemError(f"{where}: expected labels that are whole numbers 0, 1, 2, …; got {array.dtype}{nan}")
    if array.min() < 0 or array.max() >= MOST_CLASSES:
        raise TandemError(
            f"{where}: expected labels from 0 to {MOST_CLASSES - 1}, since up to {MOST_CLASSES:,} classes are "
            f"supported; got {array.min() if array.min() < 0 else array.max()}"
        )
    return np.asarray(array, np.uint16)


def check_shape(where: object, shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[int, int, int, int]:
    """Return the shape of images as (n, height, width, channels), given it with or without channels.

    Raises:
        TandemError: they aren't images of 8 or 16 bits, grey or RGB, or there are none.
    """
    full = (*shape, 1) if len(shape) == 3 else tuple(shape)
    if len(full) != 4 or full[3] not in (1, 3):
        raise TandemError(
            f"{where}: expected images of shape (n, height, width), or (n, height, width, channels) with 1 or 3 "
            f"channels; got {tuple(shape)}"
        )
    if dtype not in (np.uint8, np.uint16):
        hint = "; of floats from 0 to 1, take numpy.round(255 * images).astype('uint8')" if dtype.kind == "f" else ""
        raise TandemError(f"{where}: expected images of uint8 or uint16; got {dtype}{hint}")
    if not all(full):
        what = "no image: training and test set need some" if not full[0] else f"images of 0 pixels, shape {full}"
        raise TandemError(f"{where}: expected images; got {what}")
    return full[0], full[1], full[2], full[3]


def check_pixels(where: object, images: npt.NDArray[Any]) -> None:
    """Refuse images that are all of one value, which can't be standardised; others take no time, however many.

    Raises:
        TandemError: they are.
    """
    first = images.flat[0]
    for start in range(0, len(images), BLOCK):
        if (images[start : start + BLOCK] != first).any():
            return
    raise TandemError(f"{where}: expected training images that differ; got every pixel {first}")


def check_counts(where: object, images: int, labels: int) -> None:
    """Refuse another number of labels than of images.

    Raises:
        TandemError: it is.
    """
    if images != labels:
        raise TandemError(f"{where}: expected as many labels as images; got {labels} and {images}")


def count_classes(where: object, train: npt.NDArray[np.uint16], test: npt.NDArray[np.uint16]) -> int:
    """Return how many classes there are.

    Raises:
        TandemError: fewer than two, one without a training image, or one in the test set alone.
    """
    counts = np.bincount(train)
    if len(counts) < 2:
        raise TandemError(f"{where}: expected at least two classes among the training labels; got one, label 0")
    if not counts.all():
        missing = int(np.argmin(counts != 0))
        what = "at least two classes, " if np.count_nonzero(counts) == 1 else ""
        raise TandemError(
            f"{where}: expected {what}training labels 0, 1, 2, … without a gap; got none of class {missing}, "
            f"and {counts[-1]} of class {len(counts) - 1}"
        )
    if test.max() >= len(counts):
        raise TandemError(f"{where}: expected test labels below {len(counts)}, as in training; got {test.max()}")
    return len(counts)
