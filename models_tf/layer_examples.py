"""Every layer that Tandem knows, in a small network: `tandem layers` proves that PyTorch's is the same.

`models_torch.layer_examples` has the same names in the same order. `tandem layers` reads the calls from this file.
"""

from collections.abc import Callable
from inspect import signature

import keras
from keras import KerasTensor, layers, ops

from models_tf.backend.activations import GELU, LeakyReLU
from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D
from models_tf.backend.positions import Positions

# By what the layer gets: features (16,), images (6, 6, 8), sequences (28, 8), or 28 tokens below 29.
EXAMPLES: dict[str, dict[str, Callable[..., layers.Layer]]] = {
    "features": {
        "dense": lambda: layers.Dense(8),
        "batch-norm-1d": lambda: BatchNormalization(),
        "layer-norm": lambda: layers.LayerNormalization(epsilon=1e-5),
        "relu": lambda: layers.ReLU(),
        "leaky-relu": lambda: LeakyReLU(),
        "prelu": lambda: layers.PReLU(shared_axes=[1]),
        "gelu": lambda: GELU(),
        "gelu-tanh": lambda: GELU(approximate=True),
        "silu": lambda: layers.Activation("silu"),
        "tanh": lambda: layers.Activation("tanh"),
        "sigmoid": lambda: layers.Activation("sigmoid"),
        "softmax": lambda: layers.Softmax(),
        "dropout": lambda rate: layers.Dropout(rate),
        "alpha-dropout": lambda rate: layers.AlphaDropout(rate),
    },
    "images": {
        "convolution": lambda: layers.Conv2D(4, 3),
        "convolution-same": lambda: layers.Conv2D(4, 3, padding="same"),
        "convolution-strided": lambda: Conv2D(4, 3, strides=2, padding=1),
        "convolution-dilated": lambda: layers.Conv2D(4, 3, dilation_rate=2),
        "convolution-grouped": lambda: layers.Conv2D(4, 3, groups=2),
        "convolution-depthwise": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
        "convolution-transposed": lambda: layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
        "zero-padding": lambda: layers.ZeroPadding2D(((2, 1), (1, 0))),
        "max-pooling": lambda: layers.MaxPooling2D(2),
        "max-pooling-padded": lambda: MaxPooling2D(3, strides=2, padding=1),
        "average-pooling": lambda: layers.AveragePooling2D(2),
        "adaptive-average-pooling": lambda: layers.AdaptiveAveragePooling2D(4),
        "global-average-pooling": lambda: layers.GlobalAveragePooling2D(keepdims=True),
        "adaptive-max-pooling": lambda: layers.AdaptiveMaxPooling2D(4),
        "global-max-pooling": lambda: layers.GlobalMaxPooling2D(keepdims=True),
        "batch-norm-2d": lambda: BatchNormalization(),
        "group-norm": lambda: layers.GroupNormalization(4, epsilon=1e-5),
        "layer-norm-of-images": lambda: layers.LayerNormalization(axis=(1, 2, 3), epsilon=1e-5),
        "prelu-per-channel": lambda: layers.PReLU(shared_axes=[1, 2]),
        "channel-dropout-2d": lambda rate: layers.SpatialDropout2D(rate),
        "residual": lambda: residual(layers.Conv2D(8, 3, padding="same"), (6, 6, 8)),
        "flatten": lambda: layers.Flatten(),
    },
    "sequences": {
        "dense-of-steps": lambda: layers.Dense(4),
        "lstm": lambda: layers.LSTM(6),
        "gru": lambda: layers.GRU(6, return_sequences=True),
        "attention": lambda: of_itself(layers.MultiHeadAttention(2, key_dim=4), (28, 8)),
        "positions": lambda: Positions(28, 8),
        "channel-dropout-1d": lambda rate: layers.SpatialDropout1D(rate),
    },
    "tokens": {
        "embedding": lambda: layers.Embedding(29, 6),
    },
}


@keras.saving.register_keras_serializable("tandem")
class Tokens(layers.Layer):
    """Images (n, height, width, 1) as a token for each row: how many of its pixels are above 0, int32 (n, height)."""

    def call(self, images: KerasTensor) -> KerasTensor:
        """Return the tokens."""
        return ops.sum(ops.cast(images > 0, "int32"), (2, 3))


def residual(inner: layers.Layer, shape: tuple[int, ...]) -> keras.Model:
    """Return what adds the output of a layer to its input."""
    inner.name, inputs = "inner", keras.Input(shape)
    return keras.Model(inputs, inputs + inner(inputs))


def of_itself(inner: layers.MultiHeadAttention, shape: tuple[int, ...]) -> keras.Model:
    """Return the attention of a sequence to itself: queries, keys and values are the same."""
    inner.name, inputs = "inner", keras.Input(shape)
    return keras.Model(inputs, inner(inputs, inputs))


STEMS: dict[str, Callable[[], list[layers.Layer]]] = {
    "features": lambda: [layers.Flatten(name="pixels"), layers.Dense(16, name="stem")],
    "images": lambda: [layers.Conv2D(8, kernel_size=5, strides=4, name="stem")],
    "sequences": lambda: [layers.Reshape((28, 28), name="rows"), layers.Dense(8, name="stem")],
    "tokens": lambda: [Tokens(name="tokens")],
}


def build(layer: str, classes: int, **rate: float) -> keras.Sequential:
    """Return the network around a layer, for scaled images, float32 (n, 28, 28, 1) → logits (n, classes)."""
    given = given_to(layer)
    made = EXAMPLES[given][layer](*rate.values())
    made.name = "layer"
    head = [made, layers.Flatten(name="flatten"), layers.Dense(classes, name="output")]
    return keras.Sequential([keras.Input((28, 28, 1)), *STEMS[given](), *head], name=f"layer-{layer}")


def given_to(layer: str) -> str:
    """Return what a layer gets: one of the keys of EXAMPLES."""
    return next(given for given, layers in EXAMPLES.items() if layer in layers)


def alone(layer: str) -> layers.Layer:
    """Return a layer, without what is around it."""
    make = EXAMPLES[given_to(layer)][layer]
    made = make(*[0.5 for _ in signature(make).parameters])
    return made.get_layer("inner") if isinstance(made, keras.Model) else made
