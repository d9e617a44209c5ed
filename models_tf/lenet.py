"""LeNet with 20 and 50 filters.

After LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998).
"""

import keras
from keras import layers


def build(classes: int, image_shape: tuple[int, int, int]) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(20, kernel_size=5, name="conv1"),  # → 24×24×20
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="pool1"),  # → 12×12×20
            layers.Conv2D(50, kernel_size=5, name="conv2"),  # → 8×8×50
            layers.ReLU(name="relu2"),
            layers.MaxPooling2D(2, name="pool2"),  # → 4×4×50
            layers.Flatten(name="flatten"),  # → 800, pixel by pixel
            layers.Dense(500, name="dense1"),
            layers.ReLU(name="relu3"),
            layers.Dense(classes, name="output"),
        ],
        name="lenet",
    )
