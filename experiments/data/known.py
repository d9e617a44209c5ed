"""What is known of the images before a dataset is asked for."""

from pathlib import Path

from experiments.data.dataset import IMAGE_SHAPE, ImageShape, described
from experiments.data.raw import read_raw
from experiments.system.errors import TandemError

MNIST: tuple[ImageShape, int] = (IMAGE_SHAPE, 10)


def shape_and_classes(data: Path, prepared: Path) -> tuple[ImageShape, int]:
    """Return the raw dataset's shape of images and number of classes, else the prepared one's, else MNIST's.

    In that order, since the raw dataset may be newer: it is what `preprocess` takes next.
    """
    try:
        raw = read_raw(data)
    except (TandemError, OSError):
        dataset = described(prepared)
        return (dataset.image_shape, dataset.classes) if dataset else MNIST
    height, width, channels = raw.train.images.shape[1:]
    return (height, width, channels), raw.classes
