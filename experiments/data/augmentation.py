"""Training images shifted, flipped and rotated at random, by NumPy and SciPy: the same for both frameworks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform

from experiments.data.dataset import Images
from experiments.data.randomness import stream
from experiments.settings.augmentation import Augmentation

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Changes:
    """What is done to each image of an epoch, in this order.

    It is mirrored left to right (bool), turned counterclockwise (degrees), and moved (rows and columns, in pixels).
    """

    flips: npt.NDArray[np.bool_]
    angles: npt.NDArray[np.float32]
    shifts: npt.NDArray[np.int16]

    def apply(self, images: Images, numbers: Indices) -> Images:
        """Return images (n, height, width, channels) changed, given their numbers; what comes in from outside is 0."""
        flips, angles, shifts = self.flips[numbers], self.angles[numbers], self.shifts[numbers]
        changed = np.where(flips[:, None, None, None], images[:, :, ::-1], images)
        return rotated(changed, angles, shifts) if self.angles.any() else shifted(changed, shifts)


def draw_changes(augmentation: Augmentation, images: int, *, seed: int, epoch: int) -> Changes:
    """Draw what happens to each image in an epoch, uniformly within the settings.

    It depends on the seed, the epoch and the number of the image in the dataset alone, whatever the batches are. Each
    setting has a random stream of its own.
    """
    flip, rotate, shift = (
        np.random.default_rng(stream(seed, f"augmentation: {use}", epoch)) for use in ("flip", "rotate", "shift")
    )
    flips = flip.random(images, np.float32) < 0.5 if augmentation.flip else np.zeros(images, np.bool_)
    angles = augmentation.rotate * (2 * rotate.random(images, np.float32) - 1)
    shifts = shift.integers(-augmentation.shift, augmentation.shift, (images, 2), np.int16, endpoint=True)
    return Changes(flips, angles.astype(np.float32), shifts)


def shifted(images: Images, shifts: npt.NDArray[np.int16]) -> Images:
    """Return images moved by whole pixels, int16 (n, 2): down and to the right, where they are positive."""
    most, (count, height, width, _) = int(np.abs(shifts).max(initial=0)), images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    rows, columns = (
        most + np.arange(size) - shifts[:, [axis]].astype(np.int64) for axis, size in enumerate((height, width))
    )
    moved: Images = padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved


def rotated(images: Images, angles: npt.NDArray[np.float32], shifts: npt.NDArray[np.int16]) -> Images:
    """Return images turned about their centres by degrees, then moved by pixels, with bilinear interpolation."""
    turned, centre = np.empty_like(images), (np.array(images.shape[1:3]) - 1) / 2
    cosines, sines = np.cos(np.deg2rad(angles, dtype=np.float64)), np.sin(np.deg2rad(angles, dtype=np.float64))
    settings: dict[str, Any] = {"order": 1, "mode": "grid-constant"}
    for index, (cosine, sine) in enumerate(zip(cosines, sines, strict=True)):
        matrix = np.array([[cosine, sine], [-sine, cosine]])  # from a pixel of the result to one of the image
        offset = centre - matrix @ (centre + shifts[index])
        for channel in range(images.shape[-1]):
            source, target = images[index, ..., channel], turned[index, ..., channel]
            affine_transform(source, matrix, offset, output=target, **settings)
    return turned
