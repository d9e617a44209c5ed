"""Two convolutions, each followed by four branches side by side.

After Szegedy et al., "Going deeper with convolutions" (2015), without activations inside the branches.
"""

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("tandem")
class Inception(layers.Layer):
    """Four branches on the same input, joined on the channel axis: (n, h, w, channels) → (n, h, w, 88)."""

    def __init__(self, name: str, **options: object) -> None:
        super().__init__(name=name, **options)
        self.branch1x1 = layers.Conv2D(16, kernel_size=1, name="branch1x1")
        self.branch5x5_1 = layers.Conv2D(16, kernel_size=1, name="branch5x5_1")
        self.branch5x5_2 = layers.Conv2D(24, kernel_size=5, padding="same", name="branch5x5_2")
        self.branch3x3_1 = layers.Conv2D(16, kernel_size=1, name="branch3x3_1")
        self.branch3x3_2 = layers.Conv2D(24, kernel_size=3, padding="same", name="branch3x3_2")
        self.branch3x3_3 = layers.Conv2D(24, kernel_size=3, padding="same", name="branch3x3_3")
        # The zeros at the rim count in the average; AveragePooling2D(padding="same") would leave them out.
        self.pool_pad = layers.ZeroPadding2D(1, name="pool_pad")
        self.pool = layers.AveragePooling2D(3, strides=1, name="pool")
        self.branch_pool = layers.Conv2D(24, kernel_size=1, name="branch_pool")

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return the branches' outputs, joined."""
        one = self.branch1x1(images)  # → 16
        five = self.branch5x5_2(self.branch5x5_1(images))  # → 24
        three = self.branch3x3_3(self.branch3x3_2(self.branch3x3_1(images)))  # → 24
        pooled = self.branch_pool(self.pool(self.pool_pad(images)))  # → 24
        return ops.concatenate([one, five, three, pooled], axis=-1)


def build(classes: int) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, 28, 28, 1) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(10, kernel_size=5, name="conv1"),  # → 24×24×10
            layers.MaxPooling2D(2, name="pool1"),  # → 12×12×10
            layers.ReLU(name="relu1"),
            Inception(name="inception1"),  # → 12×12×88
            layers.Conv2D(20, kernel_size=5, name="conv2"),  # → 8×8×20
            layers.MaxPooling2D(2, name="pool2"),  # → 4×4×20
            layers.ReLU(name="relu2"),
            Inception(name="inception2"),  # → 4×4×88
            layers.Flatten(name="flatten"),  # → 1408, pixel by pixel
            layers.Dense(classes, name="output"),
        ],
        name="inception",
    )
