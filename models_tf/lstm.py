"""A recurrent network that reads an image row by row: one of 28×28 pixels as a sequence of 28 vectors of 28 pixels."""

import keras
from keras import layers, ops


def build(classes: int, image_shape: tuple[int, int, int]) -> keras.Model:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes)."""
    height, width, channels = image_shape
    images = keras.Input(image_shape)
    rows = ops.reshape(images, (-1, height, width * channels))
    last = layers.LSTM(128, name="lstm")(rows)  # the last of 28 outputs → 128
    return keras.Model(images, layers.Dense(classes, name="output")(last), name="lstm")
