"""A small network with batch normalisation, before and after a flatten, in both frameworks and with known bugs."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import models_tf
import models_torch

NAME, BIASED, UNKNOWN = "normed", "normed-biased", "unknown"


@contextmanager
def registered() -> Iterator[None]:
    """Add the networks to the architectures of this process."""
    torch = {
        NAME: f"{__name__}:in_torch",
        BIASED: f"{__name__}:biased_in_torch",
        UNKNOWN: f"{__name__}:unknown_in_torch",
    }
    keras = {
        NAME: f"{__name__}:in_keras",
        BIASED: f"{__name__}:biased_in_keras",
        UNKNOWN: f"{__name__}:unknown_in_keras",
    }
    with patch.dict(models_torch.ARCHITECTURES, torch), patch.dict(models_tf.ARCHITECTURES, keras):
        yield


def in_torch(classes: int, *, bias: bool = False) -> Any:
    from torch import nn

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 4, kernel_size=5, bias=bias),
            bn1=nn.BatchNorm2d(4),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(4),
            flatten=nn.Flatten(),
            bn2=nn.BatchNorm1d(144, affine=False),
            output=nn.Linear(144, classes),
        )
    )


def in_keras(classes: int) -> Any:
    from models_tf.backend.normalisation import BatchNormalization

    return build_keras(classes, BatchNormalization)


def biased_in_torch(classes: int) -> Any:
    """A bias before a normalisation, which takes it away again: its gradient is rounding alone."""
    return in_torch(classes, bias=True)


def biased_in_keras(classes: int) -> Any:
    from models_tf.backend.normalisation import BatchNormalization

    return build_keras(classes, BatchNormalization, bias=True)


def build_keras(classes: int, normalisation: Any, *, bias: bool = False) -> Any:
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, kernel_size=5, use_bias=bias, name="conv1"),
            normalisation(name="bn1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(4, name="pool1"),
            layers.Flatten(name="flatten"),
            normalisation(center=False, scale=False, name="bn2"),
            layers.Dense(classes, name="output"),
        ],
        name=NAME,
    )


def unknown_in_torch(classes: int) -> Any:
    from torch import nn

    lines = nn.Conv1d(784, classes, kernel_size=1)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), rows=nn.Unflatten(1, (784, 1)), lines=lines))


def unknown_in_keras(classes: int) -> Any:
    import keras
    from keras import layers

    rows = [keras.Input((28, 28, 1)), layers.Reshape((28, 28)), layers.Conv1D(classes, kernel_size=28, name="lines")]
    return keras.Sequential(rows, name=UNKNOWN)


def other_normalisation(**options: Any) -> Any:
    """Keras's twin, with a normalisation of other settings."""
    from models_tf.backend.normalisation import BatchNormalization

    return patch(f"{__name__}.in_keras", partial(build_keras, normalisation=partial(BatchNormalization, **options)))


def biased_variance() -> Any:
    """Keras's own layer, with PyTorch's settings."""
    from keras import layers

    plain = partial(layers.BatchNormalization, momentum=0.9, epsilon=1e-5)
    return patch(f"{__name__}.in_keras", partial(build_keras, normalisation=plain))


def statistics_not_updated() -> Any:
    """The training takes the statistics of the batch, and forgets them."""
    from torch import nn

    original = nn.BatchNorm2d.forward

    def forward(layer: nn.BatchNorm2d, images: Any) -> Any:
        if not layer.training:
            return original(layer, images)
        return nn.functional.batch_norm(images, None, None, layer.weight, layer.bias, training=True, eps=layer.eps)

    return patch.object(nn.BatchNorm2d, "forward", forward)


def updated_in_evaluation() -> Any:
    """A pass in evaluation mode updates the statistics too."""
    from torch import nn

    original = nn.BatchNorm2d.forward

    def forward(layer: nn.BatchNorm2d, images: Any) -> Any:
        output = original(layer, images)
        if not layer.training and layer.running_mean is not None:
            layer.running_mean.mul_(0.9).add_(images.mean((0, 2, 3)), alpha=0.1)
        return output

    return patch.object(nn.BatchNorm2d, "forward", forward)
