"""`cnn3` in Keras's subclassed style: a class creates the layers, and its `call` runs them."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("tandem")
class Cnn3(keras.Model):
    """Scaled images, float32 (n, height, width, channels) → logits (n, classes)."""

    def __init__(
        self, classes: int, dropout: float, filters: int, units: int, name: str = "cnn3", **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.made_of = {"classes": classes, "dropout": dropout, "filters": filters, "units": units}
        self.conv1 = layers.Conv2D(filters, kernel_size=3, padding="same", name="conv1")  # → 28×28×32
        self.relu1 = layers.ReLU(name="relu1")
        self.pool1 = layers.MaxPooling2D(2, padding="same", name="pool1")  # → 14×14×32
        self.conv2 = layers.Conv2D(2 * filters, kernel_size=3, padding="same", name="conv2")  # → 14×14×64
        self.relu2 = layers.ReLU(name="relu2")
        self.pool2 = layers.MaxPooling2D(2, padding="same", name="pool2")  # → 7×7×64
        self.conv3 = layers.Conv2D(4 * filters, kernel_size=3, padding="same", name="conv3")  # → 7×7×128
        self.relu3 = layers.ReLU(name="relu3")
        self.pool3 = layers.MaxPooling2D(2, padding="same", name="pool3")  # → 4×4×128
        self.flatten = layers.Flatten(name="flatten")  # → 2048, pixel by pixel
        self.dense1 = layers.Dense(units, name="dense1")
        self.relu4 = layers.ReLU(name="relu4")
        self.dropout = layers.Dropout(dropout, name="dropout")
        self.output_ = layers.Dense(classes, name="output")

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return the logits."""
        x = self.pool1(self.relu1(self.conv1(images)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.pool3(self.relu3(self.conv3(x)))
        x = self.relu4(self.dense1(self.flatten(x)))
        return self.output_(self.dropout(x, training=training))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` rebuilds the network from, so that a saved model loads."""
        return {**super().get_config(), **self.made_of}


def build(classes: int, dropout: float, filters: int = 32, units: int = 256) -> keras.Model:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes).

    `filters` are those of the first convolution, `units` those of the hidden layer.
    """
    return Cnn3(classes, dropout, filters, units)
