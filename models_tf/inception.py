"""Two convolutions, each followed by four parallel branches.

After Szegedy et al., "Going deeper with convolutions" (2015), without activations inside the branches.
"""

import keras
from keras import layers, ops


def inception(channels: int, name: str) -> keras.Model:
    """Return four branches on the same input, joined on the channel axis: (n, h, w, channels) → (n, h, w, 88)."""
    images = keras.Input((None, None, channels))
    one = layers.Conv2D(16, kernel_size=1, name="branch1x1")(images)  # → 16
    five = layers.Conv2D(16, kernel_size=1, name="branch5x5_1")(images)
    five = layers.Conv2D(24, kernel_size=5, padding="same", name="branch5x5_2")(five)  # → 24
    three = layers.Conv2D(16, kernel_size=1, name="branch3x3_1")(images)
    three = layers.Conv2D(24, kernel_size=3, padding="same", name="branch3x3_2")(three)
    three = layers.Conv2D(24, kernel_size=3, padding="same", name="branch3x3_3")(three)  # → 24
    # The zeros at the border count in the average; AveragePooling2D(padding="same") would leave them out.
    pooled = layers.ZeroPadding2D(1, name="pool_pad")(images)
    pooled = layers.AveragePooling2D(3, strides=1, name="pool")(pooled)
    pooled = layers.Conv2D(24, kernel_size=1, name="branch_pool")(pooled)  # → 24
    return keras.Model(images, ops.concatenate([one, five, three, pooled], axis=-1), name=name)


def build(classes: int, image_shape: tuple[int, int, int]) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(10, kernel_size=5, name="conv1"),  # → 24×24×10
            layers.MaxPooling2D(2, name="pool1"),  # → 12×12×10
            layers.ReLU(name="relu1"),
            inception(10, name="inception1"),  # → 12×12×88
            layers.Conv2D(20, kernel_size=5, name="conv2"),  # → 8×8×20
            layers.MaxPooling2D(2, name="pool2"),  # → 4×4×20
            layers.ReLU(name="relu2"),
            inception(20, name="inception2"),  # → 4×4×88
            layers.Flatten(name="flatten"),  # → 1408, pixel by pixel
            layers.Dense(classes, name="output"),
        ],
        name="inception",
    )
