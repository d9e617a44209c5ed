"""The defaults of PyTorch's layers beyond dense and convolution, read and measured.

`models_tf.backend.layer_defaults` answers the same questions, in the same order.
"""

import math

import torch
from torch import nn

from experiments.contract.signatures import default_of


def gelu() -> tuple[str, str]:
    """Return which formula it is at 1, and by how much the exact one is wrong in float64."""
    right = 0.5 * (1 + math.erf(math.sqrt(0.5)))
    value = float(nn.functional.gelu(torch.ones(1, dtype=torch.float64)))
    wrong = abs(float(nn.functional.gelu(torch.ones(1, dtype=torch.float64), approximate="none")) - right)
    return "exact" if abs(value - right) < 1e-6 else "by a tanh", f"wrong by {wrong:.0e}" if wrong > 1e-15 else "right"


def leaky_relu() -> tuple[str, str]:
    """Return the default slope, and by how much that of 0.01 is wrong in float64."""
    wrong = abs(float(nn.functional.leaky_relu(-torch.ones(1, dtype=torch.float64), 0.01)) + 0.01)
    return str(default_of(nn.LeakyReLU, "negative_slope")), f"wrong by {wrong:.0e}" if wrong > 1e-15 else "right"


def lstm() -> tuple[str, str]:
    """Return how many biases a gate has, and how that of the forget gate, the second of four, starts."""
    layer = nn.LSTM(4, 400)
    biases = [value for name, value in layer.named_parameters() if "bias" in name]
    forget = biases[0].detach()[400:800]
    return str(len(biases)), "1" if bool((forget == 1).all()) else "as that of the other gates"


def first_gate_of_gru() -> str:
    """Return what the first of three gates does: one that is open keeps the old state, 0, if it updates."""
    layer = nn.GRU(1, 1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.get_parameter("weight_ih_l0")[2] = 1
        layer.get_parameter("bias_ih_l0")[0] = 100
        output, _ = layer(torch.ones(1, 1, 1))
    return "update" if abs(output.item()) < 1e-6 else "reset"


def embedding() -> str:
    """Return how an embedding starts."""
    weight = nn.Embedding(400, 100).weight.detach()
    bounded = weight.abs().max() < 2 * weight.std()
    return f"uniform within ±{weight.abs().max():.2f}" if bounded else f"normal, deviation {weight.std():.1f}"


def strided_same() -> str:
    """Return what a `same` convolution of 3 with stride 2 pads before and after 6 pixels."""
    try:
        nn.Conv2d(1, 1, 3, padding="same", stride=2)
    except ValueError:
        return "refused"
    return "accepted"


def layer_defaults() -> dict[str, str]:
    """Return every default by its name."""
    (formula, exact), (slope, sloping), (biases, forget) = gelu(), leaky_relu(), lstm()
    return {
        "layer norm epsilon": str(default_of(nn.LayerNorm, "eps")),
        "group norm epsilon": str(default_of(nn.GroupNorm, "eps")),
        "GELU": formula,
        "GELU in float64": exact,
        "leaky ReLU slope": slope,
        "leaky ReLU in float64": sloping,
        "PReLU start": f"{nn.PReLU().weight.item():g}",
        "LSTM biases of a gate": biases,
        "LSTM forget gate's bias": forget,
        "GRU's first gate": first_gate_of_gru(),
        "embedding start": embedding(),
        "attention takes the batch": "first" if default_of(nn.MultiheadAttention, "batch_first") else "second",
        "same with stride 2 of 6 pixels": strided_same(),
    }
