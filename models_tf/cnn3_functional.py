"""`cnn3` in Keras's functional style: each layer is called on the output of the one before."""

import keras
from keras import layers


def build(
    classes: int, image_shape: tuple[int, int, int], dropout: float, filters: int = 32, units: int = 256
) -> keras.Model:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes).

    `filters` are those of the first convolution, `units` those of the hidden layer.
    """
    images = keras.Input(image_shape)
    x = layers.Conv2D(filters, kernel_size=3, padding="same", name="conv1")(images)  # → 28×28×32
    x = layers.ReLU(name="relu1")(x)
    x = layers.MaxPooling2D(2, padding="same", name="pool1")(x)  # → 14×14×32
    x = layers.Conv2D(2 * filters, kernel_size=3, padding="same", name="conv2")(x)  # → 14×14×64
    x = layers.ReLU(name="relu2")(x)
    x = layers.MaxPooling2D(2, padding="same", name="pool2")(x)  # → 7×7×64
    x = layers.Conv2D(4 * filters, kernel_size=3, padding="same", name="conv3")(x)  # → 7×7×128
    x = layers.ReLU(name="relu3")(x)
    x = layers.MaxPooling2D(2, padding="same", name="pool3")(x)  # → 4×4×128
    x = layers.Flatten(name="flatten")(x)  # → 2048, pixel by pixel
    x = layers.Dense(units, name="dense1")(x)
    x = layers.ReLU(name="relu4")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(classes, name="output")(x)
    return keras.Model(images, logits, name="cnn3")
