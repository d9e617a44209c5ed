"""A residual network of 20 layers for small images: He et al., "Deep residual learning" (2016), section 4.2.

Where the size halves, the shortcut is a 1×1 convolution (option B there).
"""

import keras
from keras import layers

from models_tf.backend.normalisation import BatchNormalization


def block(size: int, channels: int, features: int, *, stride: int = 1, name: str) -> keras.Model:
    """Return two convolutions beside a shortcut: (n, size, size, channels) → (n, size / stride, …, features)."""
    images = keras.Input((size, size, channels))
    inner = layers.ZeroPadding2D(1, name="pad")(images)
    inner = layers.Conv2D(features, kernel_size=3, strides=stride, use_bias=False, name="conv1")(inner)
    inner = BatchNormalization(name="bn1")(inner)
    inner = layers.ReLU(name="relu1")(inner)
    inner = layers.Conv2D(features, kernel_size=3, padding="same", use_bias=False, name="conv2")(inner)
    inner = BatchNormalization(name="bn2")(inner)
    shortcut = images
    if stride != 1:
        shortcut = layers.Conv2D(features, kernel_size=1, strides=stride, use_bias=False, name="shortcut_conv")(images)
        shortcut = BatchNormalization(name="shortcut_bn")(shortcut)
    return keras.Model(images, layers.ReLU(name="relu2")(inner + shortcut), name=name)


def stage(size: int, channels: int, features: int, *, stride: int, name: str) -> keras.Sequential:
    """Return three blocks, the first of which changes channels and size."""
    after = size // stride
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            block(size, channels, features, stride=stride, name="block1"),
            block(after, features, features, name="block2"),
            block(after, features, features, name="block3"),
        ],
        name=name,
    )


def build(classes: int) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, 28, 28, 1) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, kernel_size=3, padding="same", use_bias=False, name="conv1"),  # → 28×28×16
            BatchNormalization(name="bn1"),
            layers.ReLU(name="relu1"),
            stage(28, 16, 16, stride=1, name="stage1"),  # → 28×28×16
            stage(28, 16, 32, stride=2, name="stage2"),  # → 14×14×32
            stage(14, 32, 64, stride=2, name="stage3"),  # → 7×7×64
            layers.AveragePooling2D(7, name="pool"),  # → 1×1×64
            layers.Flatten(name="flatten"),
            layers.Dense(classes, name="output"),
        ],
        name="resnet20",
    )
