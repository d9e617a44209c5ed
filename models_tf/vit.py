"""A small vision transformer: Dosovitskiy et al., "An image is worth 16x16 words" (2021), with patches of 7×7 pixels.

The mean of all tokens is classified, without a class token, after Beyer et al., "Better plain ViT baselines" (2022).
"""

import keras
from keras import layers, ops

from models_tf.backend.activations import GELU
from models_tf.backend.positions import Positions

FEATURES, HEADS, HIDDEN = 64, 4, 128


def block(name: str) -> keras.Model:
    """Return an attention and a small dense network, each beside a shortcut: (n, 16, 64) → (n, 16, 64)."""
    images = tokens = keras.Input((16, FEATURES))
    normed = layers.LayerNormalization(epsilon=1e-5, name="norm1")(tokens)
    tokens = tokens + layers.MultiHeadAttention(HEADS, FEATURES // HEADS, name="attention")(normed, normed)
    normed = layers.LayerNormalization(epsilon=1e-5, name="norm2")(tokens)
    hidden = GELU(name="gelu")(layers.Dense(HIDDEN, name="dense1")(normed))
    return keras.Model(images, tokens + layers.Dense(FEATURES, name="dense2")(hidden), name=name)


def build(classes: int) -> keras.Model:
    """Return the network for scaled images, float32 (n, 28, 28, 1) → logits (n, classes)."""
    images = keras.Input((28, 28, 1))
    patches = layers.Conv2D(FEATURES, kernel_size=7, strides=7, name="patches")(images)  # → 4×4×64
    tokens = Positions(16, FEATURES, name="positions")(ops.reshape(patches, (-1, 16, FEATURES)))  # → 16×64
    blocks = keras.Sequential([block(f"block{number}") for number in range(1, 5)], name="blocks")
    tokens = layers.LayerNormalization(epsilon=1e-5, name="norm")(blocks(tokens))
    return keras.Model(images, layers.Dense(classes, name="output")(ops.mean(tokens, axis=1)), name="vit")
