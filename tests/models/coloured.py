"""A small network that takes larger images of three channels, in both frameworks: what a large one does, in seconds."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import models_tf
import models_torch
from experiments.contract.inputs import INPUTS, Input

NAME, SIZE = "coloured", 41


@contextmanager
def registered() -> Iterator[None]:
    """Add the network to the architectures of this process."""
    torch, keras = {NAME: f"{__name__}:in_torch"}, {NAME: f"{__name__}:in_keras"}
    with (
        patch.dict(models_torch.ARCHITECTURES, torch),
        patch.dict(models_tf.ARCHITECTURES, keras),
        patch.dict(INPUTS, {NAME: Input(SIZE, channels=3)}),
    ):
        yield


def in_torch(classes: int) -> Any:
    from torch import nn

    first = OrderedDict(conv1=nn.Conv2d(3, 4, 5, stride=2, padding=2, bias=False), bn1=nn.BatchNorm2d(4))
    second = OrderedDict(conv2=nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), bn2=nn.BatchNorm2d(6))
    return nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(first),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, stride=2, padding=1),
            body=nn.Sequential(second),
            relu2=nn.ReLU(),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(6, classes),
        )
    )


def in_keras(classes: int) -> Any:
    import keras
    from keras import layers

    from models_tf.backend.normalisation import BatchNormalization
    from models_tf.backend.padding import Conv2D, MaxPooling2D

    def normalised(number: int, name: str, **options: Any) -> Any:
        convolution = Conv2D(strides=2, use_bias=False, name=f"conv{number}", **options)
        return keras.Sequential([convolution, BatchNormalization(name=f"bn{number}")], name=name)

    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            normalised(1, "stem", filters=4, kernel_size=5, padding=2),
            layers.ReLU(name="relu1"),
            MaxPooling2D(3, strides=2, padding=1, name="pool1"),
            normalised(2, "body", filters=6, kernel_size=3, padding=1),
            layers.ReLU(name="relu2"),
            layers.GlobalAveragePooling2D(keepdims=True, name="avgpool"),
            layers.Flatten(name="flatten"),
            layers.Dense(classes, name="fc"),
        ],
        name=NAME,
    )
