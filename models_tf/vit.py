"""A small vision transformer: Dosovitskiy et al., "An image is worth 16x16 words" (2021), with patches of 7×7 pixels.

The mean of all tokens is classified, without a class token, after Beyer et al., "Better plain ViT baselines" (2022).
"""

import keras
from keras import layers, ops

from experiments.contract.patches import count_patches
from models_tf.backend.activations import GELU
from models_tf.backend.positions import Positions

FEATURES, HEADS, HIDDEN = 64, 4, 128


def block(count: int, name: str) -> keras.Model:
    """Return an attention and a small dense network, each beside a shortcut: (n, t, 64) → (n, t, 64)."""
    inputs = keras.Input((count, FEATURES))
    normed = layers.LayerNormalization(epsilon=1e-5, name="norm1")(inputs)
    tokens = inputs + layers.MultiHeadAttention(HEADS, FEATURES // HEADS, name="attention")(normed, normed)
    normed = layers.LayerNormalization(epsilon=1e-5, name="norm2")(tokens)
    hidden = GELU(name="gelu")(layers.Dense(HIDDEN, name="dense1")(normed))
    return keras.Model(inputs, tokens + layers.Dense(FEATURES, name="dense2")(hidden), name=name)


def build(classes: int, image_shape: tuple[int, int, int], patch: int = 7) -> keras.Model:
    """Return the network for scaled images, float32 (n, height, width, channels) → logits (n, classes).

    Raises:
        TandemError: the images aren't made of whole patches of that many pixels in height and width.
    """
    count, images = count_patches(image_shape, patch), keras.Input(image_shape)
    patches = layers.Conv2D(FEATURES, kernel_size=patch, strides=patch, name="patches")(images)  # → 4×4×64
    tokens = Positions(count, FEATURES, name="positions")(ops.reshape(patches, (-1, count, FEATURES)))  # → 16×64
    blocks = keras.Sequential([block(count, f"block{number}") for number in range(1, 5)], name="blocks")
    tokens = layers.LayerNormalization(epsilon=1e-5, name="norm")(blocks(tokens))
    return keras.Model(images, layers.Dense(classes, name="output")(ops.mean(tokens, axis=1)), name="vit")
