"""Two 3×3 convolutions and a dense output."""

import keras
from keras import layers


def build(classes: int, image_shape: tuple[int, int, int]) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(32, kernel_size=3, padding="same", name="conv1"),  # → 28×28×32
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="pool1"),  # → 14×14×32
            layers.Conv2D(64, kernel_size=3, padding="same", name="conv2"),  # → 14×14×64
            layers.ReLU(name="relu2"),
            layers.MaxPooling2D(2, name="pool2"),  # → 7×7×64
            layers.Flatten(name="flatten"),  # → 3136, pixel by pixel
            layers.Dense(classes, name="output"),
        ],
        name="cnn2",
    )
