"""A multilayer perceptron with four hidden layers."""

import keras
from keras import layers


def build(classes: int, image_shape: tuple[int, int, int]) -> keras.Sequential:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes)."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Flatten(name="flatten"),  # → 784
            layers.Dense(520, name="dense1"),
            layers.ReLU(name="relu1"),
            layers.Dense(320, name="dense2"),
            layers.ReLU(name="relu2"),
            layers.Dense(240, name="dense3"),
            layers.ReLU(name="relu3"),
            layers.Dense(120, name="dense4"),
            layers.ReLU(name="relu4"),
            layers.Dense(classes, name="output"),
        ],
        name="mlp",
    )
