"""What docs/layers.md says of the layers, apart from what is measured."""

from collections.abc import Mapping

INTRODUCTION = """# Layers

<!-- Written by `tandem layers --write`. A test compares it with what that gives. -->

The layers that Tandem knows in both frameworks: their arrays, how either framework starts them, and how weights go from one to
the other. `tandem layers` puts each into a small network (`layer_examples.py` of `models_torch` and of `models_tf`), between a
fixed stem and a dense output, and proves it as `tandem parity` proves a network, in float64 and float32, with shorter trainings:
5 steps, the last with a short batch, with SGD and Adam, or with SGD alone where the layer trains nothing. The calls below are those
that ran.

A layer with arrays that isn't in the table is refused when a model is built. One without arrays may be anything; parity
compares what comes out of it. Sequences are (n, steps, features) in both frameworks, images (n, channels, height, width) in PyTorch
and (n, height, width, channels) in Keras. Defaults are those of the frameworks' own classes; how weights start is shown for the
layer of the example. A recipe's `initialiser` chooses between the two.
"""
_NUMPY = "draws the start by NumPy, as the recipe's `initialiser` says"
_EPSILON = "give Keras PyTorch's epsilon"
_OWN = "the frameworks agree"
_FLOAT64 = "has a layer of its own (`models_tf/backend/activations.py`), since TensorFlow rounds the constants to float32"
_DRAWS = "lets each framework draw; tests the distribution"
_WHOLE = "the same, by whole channels; parity compares which axis has them"
_PADS = "has layers that pad as PyTorch does (`models_tf/backend/padding.py`)"
_STATE = "has a layer with PyTorch's defaults and running variance (`models_tf/backend/normalisation.py`)"
# A test checks that every layer has one.
NOTES: Mapping[str, str] = {
    "dense": _NUMPY,
    "batch-norm-1d": _STATE,
    "layer-norm": _EPSILON,
    "relu": _OWN,
    "leaky-relu": f"{_FLOAT64}; with PyTorch's slope",
    "prelu": f"{_NUMPY}; one slope for all in PyTorch is `shared_axes` in Keras",
    "gelu": f"{_FLOAT64}; both frameworks' default is the exact formula",
    "gelu-tanh": _FLOAT64,
    "silu": _OWN,
    "tanh": _OWN,
    "sigmoid": _OWN,
    "softmax": "use over features; logits need none",
    "dropout": _DRAWS,
    "alpha-dropout": _DRAWS,
    "convolution": _NUMPY,
    "convolution-same": "use `same` with stride 1 alone, where the two agree",
    "convolution-strided": f"{_PADS}; Keras's `same` with a stride pads (0, 1), and parity says so",
    "convolution-dilated": _NUMPY,
    "convolution-grouped": _NUMPY,
    "convolution-depthwise": "PyTorch's `groups` is the number of channels; Keras counts other fans there",
    "convolution-transposed": "Keras's `same` is an even padding only where kernel - stride is even",
    "zero-padding": "PyTorch has left, right, top, bottom; Keras has (top, bottom), (left, right)",
    "max-pooling": "both keep complete windows alone",
    "max-pooling-padded": _PADS,
    "average-pooling": "pad with zeros first, which then count in both",
    "adaptive-average-pooling": _OWN,
    "global-average-pooling": "with `keepdims=True`, the output has PyTorch's shape",
    "adaptive-max-pooling": _OWN,
    "global-max-pooling": "with `keepdims=True`, the output has PyTorch's shape",
    "batch-norm-2d": _STATE,
    "group-norm": f"{_EPSILON}, and a number of groups",
    "layer-norm-of-images": f"{_EPSILON}; transposes the weights",
    "prelu-per-channel": f"{_NUMPY}; without `shared_axes`, Keras has a slope for every pixel",
    "channel-dropout-2d": _WHOLE,
    "residual": "takes an addition of tensors; no layer is needed",
    "flatten": "reorders the weights of what follows, by channel or by pixel",
    "dense-of-steps": "the same weights for every step",
    "lstm": "has PyTorch's layer with one bias, trained (`models_torch/backend/recurrent.py`); gates are in the same order",
    "lstm-of-steps": "the same, with the outputs of all steps",
    "gru": "exchanges the first two gates: Keras has update, reset, new; PyTorch has reset, update, new",
    "attention": "joins Keras's projections to PyTorch's; needs `batch_first` and `key_dim` features / heads",
    "channel-dropout-1d": "has PyTorch's layer for (n, steps, features) (`models_torch/backend/dropout.py`)",
    "embedding": _NUMPY,
}
