"""What docs/layers.md says of the layers, apart from what is measured."""

from collections.abc import Mapping

INTRODUCTION = """# Layers

<!-- Written by `tandem layers --write`. A test compares it with what that gives. -->

The layers that Tandem knows in both frameworks: their arrays, how either framework starts them, and how weights go from
one to the other. `tandem layers` puts each into a small network (`layer_examples.py` of `models_torch` and of
`models_tf`), between a fixed stem and a dense output, and proves it as `tandem parity` proves a network, in float64 and
float32, with shorter trainings: 5 steps, the last with a short batch, with SGD, and with Adam too for the first layer
of each kind that trains something. The calls are those that ran.

A layer that isn't in the table is refused when a model is built, if it has parameters or state. One without may be
anything: parity compares what comes out of it. Dropout inside of a recurrent layer, and of an attention's weights, is
refused, since parity can't test it.

Sequences are (n, steps, features) in both frameworks; images are (n, channels, height, width) in PyTorch and
(n, height, width, channels) in Keras. Defaults are those of the frameworks' own classes, and how weights start is that
of the layer in the example; a recipe's `initialiser` chooses between the two, and NumPy draws.
"""
_NUMPY = "draws the start, as the recipe says"
_EPSILON = "gives Keras PyTorch's epsilon"
_NOTHING = "nothing: the two agree"
_FLOAT64 = "has a layer for Keras (`models_tf/backend/activations.py`): TensorFlow rounds the constants to float32"
_DRAWS = "lets each draw its masks, and tests their distribution"
_PADS = "has a layer for Keras that pads as PyTorch does (`models_tf/backend/padding.py`)"
_STATE = "has a layer for Keras with PyTorch's defaults and running variance (`models_tf/backend/normalisation.py`)"
_KEEPDIMS = "gives Keras `keepdims`, so that the shape is PyTorch's"
# A test checks that every layer has one.
NOTES: Mapping[str, str] = {
    "dense": _NUMPY,
    "batch-norm-1d": _STATE,
    "layer-norm": _EPSILON,
    "relu": _NOTHING,
    "leaky-relu": f"{_FLOAT64}; its slope is PyTorch's",
    "prelu": f"{_NUMPY}; gives Keras `shared_axes`, for one slope",
    "gelu": f"{_FLOAT64}; both frameworks' own default is the exact formula",
    "gelu-tanh": _FLOAT64,
    "silu": _NOTHING,
    "tanh": _NOTHING,
    "sigmoid": _NOTHING,
    "softmax": "gives PyTorch the axis",
    "dropout": _DRAWS,
    "alpha-dropout": _DRAWS,
    "convolution": _NUMPY,
    "convolution-same": f"{_NUMPY}; `same` is the same with stride 1 alone",
    "convolution-strided": f"{_NUMPY}; {_PADS}",
    "convolution-dilated": _NUMPY,
    "convolution-grouped": _NUMPY,
    "convolution-depthwise": f"{_NUMPY}; Keras counts other fans than for a convolution with groups",
    "convolution-transposed": f"{_NUMPY}; Keras's `same` cuts off the same at both ends if kernel - stride is even",
    "zero-padding": "takes PyTorch's order, left, right, top, bottom, and Keras's, (top, bottom), (left, right)",
    "max-pooling": _NOTHING,
    "max-pooling-padded": _PADS,
    "average-pooling": "pads with zeros first, if at all: zeros of Keras's `same` don't count",
    "adaptive-average-pooling": _NOTHING,
    "global-average-pooling": _KEEPDIMS,
    "adaptive-max-pooling": _NOTHING,
    "global-max-pooling": _KEEPDIMS,
    "batch-norm-2d": _STATE,
    "group-norm": f"{_EPSILON} and groups",
    "layer-norm-of-images": f"{_EPSILON}, and transposes its weights",
    "prelu-per-channel": f"{_NUMPY}; gives Keras `shared_axes`, since it has a slope for every pixel",
    "channel-dropout-2d": f"{_DRAWS}, of whole channels",
    "residual": "takes an addition of tensors in either",
    "flatten": "puts the weights of what follows in the framework's order, by channel or by pixel",
    "dense-of-steps": _NUMPY,
    "lstm": f"{_NUMPY}; has a layer for PyTorch with one bias (`models_torch/backend/recurrent.py`)",
    "gru": f"{_NUMPY}; exchanges the first two gates: reset, update in PyTorch, update, reset in Keras",
    "attention": f"{_NUMPY}; joins Keras's projections of the heads to PyTorch's",
    "positions": f"{_NUMPY}; has a layer for either (`backend/positions.py` of both), which adds an embedding",
    "channel-dropout-1d": f"{_DRAWS}, of whole features; has a layer for PyTorch (`models_torch/backend/dropout.py`)",
    "embedding": _NUMPY,
}
