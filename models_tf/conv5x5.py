"""Two 5×5 convolutions, each pooled before its ReLU, and a dense output."""

import keras
from keras import layers


def build(classes: int, image_shape: tuple[int, int, int]) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(10, kernel_size=5, padding="same", name="conv1"),  # → 28×28×10
            layers.MaxPooling2D(2, name="pool1"),  # → 14×14×10
            layers.ReLU(name="relu1"),
            layers.Conv2D(20, kernel_size=5, padding="same", name="conv2"),  # → 14×14×20
            layers.MaxPooling2D(2, name="pool2"),  # → 7×7×20
            layers.ReLU(name="relu2"),
            layers.Flatten(name="flatten"),  # → 980, pixel by pixel
            layers.Dense(classes, name="output"),
        ],
        name="conv5x5",
    )
