"""Images held out of others: the same share of every class, drawn from a seed."""

import math

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from experiments.system.errors import TandemError

Indices = npt.NDArray[np.int64]


def hold_out(labels: npt.NDArray[np.integer], *, fraction: float, seed: int, option: str) -> tuple[Indices, Indices]:
    """Return the indices of the images to keep and of those held out, both ascending, stratified by class.

    `option` is what sets the fraction.

    Raises:
        TandemError: there are too few images, of one class or altogether.
    """
    check_split(labels, fraction=fraction, option=option)
    kept, held_out = train_test_split(np.arange(len(labels)), test_size=fraction, stratify=labels, random_state=seed)
    return np.sort(kept), np.sort(held_out)


def check_split(labels: npt.NDArray[np.integer], *, fraction: float, option: str) -> None:
    """Refuse if images can't be held out of every class.

    Raises:
        TandemError: they can't.
    """
    values, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        few = values[np.argmin(counts)]
        raise TandemError(
            f"{option}: expected at least 2 images of each class, one to keep and one to hold out; got 1 of class {few}"
        )
    held_out = math.ceil(len(labels) * fraction)
    if min(held_out, len(labels) - held_out) < len(values):
        raise TandemError(
            f"{option}: expected images of each of {len(values)} classes on either side; got {held_out} of "
            f"{len(labels)} to hold out; set it between {len(values) / len(labels):.3g} and "
            f"{1 - len(values) / len(labels):.3g}"
        )
