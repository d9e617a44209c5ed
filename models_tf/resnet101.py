"""ResNet-101: He et al., "Deep residual learning for image recognition" (2016), table 1.

Names, shapes and the place of the stride, on the 3×3 convolution, are those of torchvision's resnet101.
"""

import keras
from keras import layers

from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D


def bottleneck(channels: int, width: int, *, stride: int = 1, name: str) -> keras.Model:
    """Return three convolutions beside a shortcut: (n, h, w, channels) → (n, h / stride, w / stride, 4·width)."""
    images = keras.Input((None, None, channels))
    inner = Conv2D(width, kernel_size=1, use_bias=False, name="conv1")(images)
    inner = BatchNormalization(name="bn1")(inner)
    inner = layers.ReLU(name="relu1")(inner)
    inner = Conv2D(width, kernel_size=3, strides=stride, padding=1, use_bias=False, name="conv2")(inner)
    inner = BatchNormalization(name="bn2")(inner)
    inner = layers.ReLU(name="relu2")(inner)
    inner = Conv2D(4 * width, kernel_size=1, use_bias=False, name="conv3")(inner)
    inner = BatchNormalization(name="bn3")(inner)
    shortcut = images
    if channels != 4 * width:
        shortcut = Conv2D(4 * width, kernel_size=1, strides=stride, use_bias=False, name="0")
        shortcut = keras.Sequential([shortcut, BatchNormalization(name="1")], name="downsample")(images)
    return keras.Model(images, layers.ReLU(name="relu3")(inner + shortcut), name=name)


def stage(channels: int, width: int, *, blocks: int, stride: int, name: str) -> keras.Sequential:
    """Return blocks, the first of which changes channels and size."""
    parts = [bottleneck(channels, width, stride=stride, name="0")]
    parts += [bottleneck(4 * width, width, name=str(number)) for number in range(1, blocks)]
    return keras.Sequential(parts, name=name)


def build(classes: int) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, 224, 224, 3) or another size → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            Conv2D(64, kernel_size=7, strides=2, padding=3, use_bias=False, name="conv1"),  # → 112×112×64
            BatchNormalization(name="bn1"),
            layers.ReLU(name="relu"),
            MaxPooling2D(3, strides=2, padding=1, name="maxpool"),  # → 56×56×64
            stage(64, 64, blocks=3, stride=1, name="layer1"),  # → 56×56×256
            stage(256, 128, blocks=4, stride=2, name="layer2"),  # → 28×28×512
            stage(512, 256, blocks=23, stride=2, name="layer3"),  # → 14×14×1024
            stage(1024, 512, blocks=3, stride=2, name="layer4"),  # → 7×7×2048
            layers.GlobalAveragePooling2D(keepdims=True, name="avgpool"),  # → 1×1×2048
            layers.Flatten(name="flatten"),
            layers.Dense(classes, name="fc"),
        ],
        name="resnet101",
    )
