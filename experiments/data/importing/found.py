"""What a source of images has: known before anything is written, and read a block at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Images, Labels, Split

BLOCK_BYTES = 2**24


@dataclass(frozen=True)
class Part:
    """The training or the test images: their (height, width, channels), type and labels, and what reads them.

    `blocks` yields all of them in order, uint8 or uint16 of shape (some, height, width, channels).
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    labels: Labels
    blocks: Callable[[], Iterator[Images]]

    @property
    def image_bytes(self) -> int:
        """How large an image is."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


@dataclass(frozen=True)
class Found:
    """A source's images; `test` is None where some of `train` have to be held out for it."""

    train: Part
    test: Part | None
    class_names: Sequence[str] | None = None


def per_block(image_bytes: int) -> int:
    """Return how many images are read in one go."""
    return max(1, BLOCK_BYTES // max(1, image_bytes))


def part_of(split: Split) -> Part:
    """Return arrays, which may be memory-mapped, as a part."""
    images: npt.NDArray[Any] = split.images
    height, width, channels = images.shape[1:]

    def blocks() -> Iterator[Images]:
        step = per_block(images[:1].nbytes)
        for start in range(0, len(images), step):
            yield images[start : start + step]

    return Part((height, width, channels), images.dtype, split.labels, blocks)
