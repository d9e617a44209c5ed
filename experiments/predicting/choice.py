"""The model that is to predict: what it takes, and what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.contract.model import Logits
from experiments.data.dataset import Images, ImageShape
from experiments.data.importing.picture import Look, shown_size


@dataclass(frozen=True)
class Takes:
    """Images of `shape`, (height, width, channels), raw pixels of `dtype`, uint8 or uint16.

    `mean` is that of the images that the model was trained on, scaled to 0..1, a number for each channel; None: it
    isn't known.
    """

    shape: ImageShape
    dtype: np.dtype[Any]
    mean: tuple[float, ...] | None = None

    @property
    def bits(self) -> int:
        """The bits of a pixel, in colour of each channel."""
        return 8 * self.dtype.itemsize

    def __str__(self) -> str:
        """Return what an error calls such images."""
        height, width, channels = self.shape
        return f"{shown_size(height, width)}, {self.bits}-bit {'grey' if channels == 1 else 'RGB'}"


def shown(look: Look) -> str:
    """Return what an error calls the image in a file."""
    return f"{shown_size(look.height, look.width)}, {'8-bit RGB' if look.kind == 'RGB' else look.kind}"


@dataclass(frozen=True)
class Choice:
    """A model: where it is and what it is, what it takes, and the names of its classes, None where they have none.

    `logits` loads it, and returns the logits, float32 (n, classes), of images as it takes them.
    """

    where: str
    kind: str
    takes: Takes
    class_names: tuple[str, ...] | None
    logits: Callable[[Images], Logits]
