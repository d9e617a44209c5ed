"""The defaults of Keras's layers beyond dense and convolution, read and measured.

`models_torch.backend.layer_defaults` answers the same questions, in the same order.
"""

import math

import keras
import numpy as np
from keras import layers

from experiments.contract.signatures import default_of


def gelu() -> tuple[str, str]:
    """Return which formula it is at 1, and by how much the exact one is wrong in float64."""
    right = 0.5 * (1 + math.erf(math.sqrt(0.5)))
    value = float(keras.activations.gelu(np.ones(1))[0])
    wrong = abs(float(keras.activations.gelu(np.ones(1), approximate=False)[0]) - right)
    return "exact" if abs(value - right) < 1e-6 else "by a tanh", f"wrong by {wrong:.0e}" if wrong > 1e-15 else "right"


def leaky_relu() -> tuple[str, str]:
    """Return the default slope, and by how much that of 0.01 is wrong in float64."""
    wrong = abs(float(keras.ops.leaky_relu(-np.ones(1), 0.01)[0]) + 0.01)
    return str(default_of(layers.LeakyReLU, "negative_slope")), f"wrong by {wrong:.0e}" if wrong > 1e-15 else "right"


def lstm() -> tuple[str, str]:
    """Return how many biases a gate has, and how that of the forget gate, the second of four, starts."""
    layer = layers.LSTM(400)
    layer.build((None, 1, 4))
    biases = [variable for variable in layer.weights if variable.name == "bias"]
    forget = biases[0].numpy().reshape(-1, 1600)[0, 400:800]
    return str(len(biases)), "1" if bool((forget == 1).all()) else "as that of the other gates"


def first_gate_of_gru() -> str:
    """Return what the first of three gates does: one that is open keeps the old state, 0, if it updates."""
    layer = layers.GRU(1)
    layer.build((None, 1, 1))
    bias = np.zeros((2, 3), np.float32)
    bias[0, 0] = 100
    layer.set_weights([np.array([[0, 0, 1]], np.float32), np.zeros((1, 3), np.float32), bias])
    return "update" if abs(float(layer(np.ones((1, 1, 1), np.float32))[0, 0])) < 1e-6 else "reset"


def embedding() -> str:
    """Return how an embedding starts."""
    layer = layers.Embedding(400, 100)
    layer.build()
    weight = layer.embeddings.numpy()
    bounded = np.abs(weight).max() < 2 * weight.std()
    return f"uniform within ±{np.abs(weight).max():.2f}" if bounded else f"normal, deviation {weight.std():.1f}"


def strided_same() -> str:
    """Return what a `same` convolution of 3 with stride 2 pads before and after 6 pixels."""
    layer = layers.Conv2D(1, (1, 3), strides=(1, 2), padding="same", kernel_initializer="ones")
    sums = layer(np.ones((1, 1, 6, 1), np.float32)).numpy().ravel()
    return f"{3 - sums[0]:g} before, {3 - sums[-1]:g} after"


def layer_defaults() -> dict[str, str]:
    """Return every default by its name."""
    (formula, exact), (slope, sloping), (biases, forget) = gelu(), leaky_relu(), lstm()
    prelu = layers.PReLU()
    prelu.build((None, 1))
    return {
        "layer norm epsilon": str(default_of(layers.LayerNormalization, "epsilon")),
        "group norm epsilon": str(default_of(layers.GroupNormalization, "epsilon")),
        "GELU": formula,
        "GELU in float64": exact,
        "leaky ReLU slope": slope,
        "leaky ReLU in float64": sloping,
        "PReLU start": f"{float(prelu.alpha.numpy()[0]):g}",
        "LSTM biases of a gate": biases,
        "LSTM forget gate's bias": forget,
        "GRU's first gate": first_gate_of_gru(),
        "embedding start": embedding(),
        "attention takes the batch": "first",
        "same with stride 2 of 6 pixels": strided_same(),
    }
