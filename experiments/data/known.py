"""What is known of the images before a dataset is asked for."""

from pathlib import Path

from experiments.data.dataset import IMAGE_SHAPE, ImageShape, described
from experiments.data.raw import read_raw
from experiments.system.errors import TandemError


def known_shape(data: Path, prepared: Path) -> ImageShape:
    """Return the shape of the raw dataset's images, else of the prepared one's, else of MNIST's.

    In that order, since the raw dataset may be newer: it is what `preprocess` takes next.
    """
    try:
        height, width, channels = read_raw(data).train.images.shape[1:]
    except (TandemError, OSError):
        dataset = described(prepared)
        return dataset.image_shape if dataset else IMAGE_SHAPE
    return height, width, channels
