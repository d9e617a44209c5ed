"""Features after a flatten: pixel by pixel in Keras, where the channels come last; channel by channel in PyTorch."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from keras import layers

from models_tf.backend.trace import Call

Shape = tuple[int, int, int]


def flattened(calls: Iterable[Call]) -> dict[str, Shape]:
    """Return, for each layer whose input is a flattened image, the image's (height, width, channels).

    From a flatten on, that is every layer up to the first dense one, which mixes the features, or to one that makes
    another shape of them. The flatten itself isn't among them.
    """
    shapes: dict[str, Shape] = {}
    shape: Shape | None = None
    for call in calls:
        if isinstance(call.layer, layers.Flatten) and len(call.input.shape) == 4:
            shape = tuple(call.input.shape[1:])
        elif shape is not None and call.input.shape[1:] == (np.prod(shape),):
            shapes[call.path] = shape
            keeps = call.output.shape == call.input.shape and not isinstance(call.layer, layers.Dense)
            shape = shape if keeps else None
    return shapes


def by_channel(value: npt.NDArray[np.float32], shape: Shape) -> npt.NDArray[np.float32]:
    """Return an array whose last axis is a flattened image (height, width, channels) in the order of PyTorch."""
    return np.moveaxis(value.reshape(*value.shape[:-1], *shape), -1, -3).reshape(value.shape)


def by_pixel(value: npt.NDArray[np.float32], shape: Shape) -> npt.NDArray[np.float32]:
    """Return an array whose last axis is a flattened image of PyTorch in Keras's order; `shape` is Keras's."""
    height, width, channels = shape
    split = value.reshape(*value.shape[:-1], channels, height, width)
    return np.moveaxis(split, -3, -1).reshape(value.shape)
