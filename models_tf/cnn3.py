"""Three convolutions, a hidden dense layer, and dropout before the output."""

import keras
from keras import layers


def build(
    classes: int, image_shape: tuple[int, int, int], dropout: float, filters: int = 32, units: int = 256
) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes).

    `filters` are those of the first convolution, `units` those of the hidden layer.
    """
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(filters, kernel_size=3, padding="same", name="conv1"),  # → 28×28×32
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, padding="same", name="pool1"),  # → 14×14×32
            layers.Conv2D(2 * filters, kernel_size=3, padding="same", name="conv2"),  # → 14×14×64
            layers.ReLU(name="relu2"),
            layers.MaxPooling2D(2, padding="same", name="pool2"),  # → 7×7×64
            layers.Conv2D(4 * filters, kernel_size=3, padding="same", name="conv3"),  # → 7×7×128
            layers.ReLU(name="relu3"),
            layers.MaxPooling2D(2, padding="same", name="pool3"),  # → 4×4×128
            layers.Flatten(name="flatten"),  # → 2048, pixel by pixel
            layers.Dense(units, name="dense1"),
            layers.ReLU(name="relu4"),
            layers.Dropout(dropout, name="dropout"),
            layers.Dense(classes, name="output"),
        ],
        name="cnn3",
    )
