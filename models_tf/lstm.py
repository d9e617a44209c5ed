"""A recurrent network that reads an image row by row, as a sequence of 28 vectors of 28 pixels."""

import keras
from keras import layers, ops


def build(classes: int) -> keras.Model:
    """Return the network for scaled images, float32 (n, 28, 28, 1) → logits (n, classes)."""
    images = keras.Input((28, 28, 1))
    last = layers.LSTM(128, name="lstm")(ops.squeeze(images, -1))  # the last of 28 outputs → 128
    return keras.Model(images, layers.Dense(classes, name="output")(last), name="lstm")
