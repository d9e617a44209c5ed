"""A residual network of 20 layers for small images: He et al., "Deep residual learning" (2016), section 4.2.

Where the size halves, the shortcut is a 1×1 convolution (option B there). Names are torchvision's.
"""

import keras
from keras import layers

from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D


def block(channels: int, features: int, *, stride: int = 1, name: str) -> keras.Model:
    """Return two convolutions beside a shortcut: (n, h, w, channels) → (n, h / stride, w / stride, features)."""
    images = keras.Input((None, None, channels))
    inner = Conv2D(features, kernel_size=3, strides=stride, padding=1, use_bias=False, name="conv1")(images)
    inner = BatchNormalization(name="bn1")(inner)
    inner = layers.ReLU(name="relu1")(inner)
    inner = Conv2D(features, kernel_size=3, padding=1, use_bias=False, name="conv2")(inner)
    inner = BatchNormalization(name="bn2")(inner)
    shortcut = images
    if stride != 1:
        shortcut = Conv2D(features, kernel_size=1, strides=stride, use_bias=False, name="0")
        shortcut = keras.Sequential([shortcut, BatchNormalization(name="1")], name="downsample")(images)
    return keras.Model(images, layers.ReLU(name="relu2")(inner + shortcut), name=name)


def stage(channels: int, features: int, *, stride: int, name: str) -> keras.Sequential:
    """Return three blocks, the first of which changes channels and size."""
    parts = [block(channels, features, stride=stride, name="0")]
    parts += [block(features, features, name=str(number)) for number in (1, 2)]
    return keras.Sequential(parts, name=name)


def build(classes: int, image_shape: tuple[int, int, int], filters: int = 16) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes).

    `filters` are those of the first stage; each other stage has twice as many as the one before.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape),
            Conv2D(filters, kernel_size=3, padding=1, use_bias=False, name="conv1"),  # → 28×28×16
            BatchNormalization(name="bn1"),
            layers.ReLU(name="relu"),
            stage(filters, filters, stride=1, name="layer1"),  # → 28×28×16
            stage(filters, 2 * filters, stride=2, name="layer2"),  # → 14×14×32
            stage(2 * filters, 4 * filters, stride=2, name="layer3"),  # → 7×7×64
            layers.GlobalAveragePooling2D(keepdims=True, name="avgpool"),  # → 1×1×64
            layers.Flatten(name="flatten"),
            layers.Dense(classes, name="fc"),
        ],
        name="resnet20",
    )
