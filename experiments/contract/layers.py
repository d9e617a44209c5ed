"""The inside of a network, in terms that both frameworks share: its layers, and the expected size of their outputs."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

from tabulate import tabulate

from experiments.contract.backend import Model
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels

InspectedT = TypeVar("InspectedT", bound=Model, contravariant=True)

Kind = Literal[
    "convolution",
    "depthwise convolution",
    "transposed convolution",
    "dense",
    "max pooling",
    "average pooling",
    "global average pooling",
    "adaptive average pooling",
    "global max pooling",
    "adaptive max pooling",
    "zero padding",
    "flatten",
    "relu",
    "leaky relu",
    "prelu",
    "gelu",
    "silu",
    "tanh",
    "sigmoid",
    "softmax",
    "dropout",
    "channel dropout",
    "alpha dropout",
    "batch normalisation",
    "layer normalisation",
    "group normalisation",
    "embedding",
    "positions",
    "lstm",
    "gru",
    "attention",
    "block",
    "other",
]
# What windows move over an image.
WINDOWED: tuple[Kind, ...] = (
    "convolution",
    "depthwise convolution",
    "transposed convolution",
    "max pooling",
    "average pooling",
    "zero padding",
)
# Their output has a size of its own, which no formula knows.
UNKNOWN: tuple[Kind, ...] = ("block", "other")
RECURRENT: tuple[Kind, ...] = ("lstm", "gru")
Pair = tuple[int, int]
# The rows and the columns before and after, or Keras's word.
Padding = tuple[Pair, Pair] | Literal["same"]
NONE: Padding = ((0, 0), (0, 0))


@dataclass(frozen=True)
class Layer:
    """One layer of a built network.

    `path` is its name, after that of the block around it (`inception1/branch1x1`). `input` and `output` are the
    shapes measured for one image, in PyTorch's order in both frameworks: (channels, height, width), (steps, features)
    or (features,). `features` are the output channels of a convolution, the units of another layer, or the channels of
    a channel dropout. `kernel`, `stride`, `padding` and `dilation` are those of a convolution, pooling or padding, for
    rows and columns; `extra` is what a transposed convolution adds at the end; `rounds_up` is pooling that keeps a
    last, incomplete window.
    `weights` is how many numbers it multiplies by; `parameters` are all that it trains. `kind` is `block` for a layer
    of layers, and `other` for one that the project doesn't know, and that has no arrays.
    """

    path: str
    kind: Kind
    input: tuple[int, ...]
    output: tuple[int, ...]
    features: int = 0
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Padding = NONE
    dilation: Pair = (1, 1)
    extra: Pair = (0, 0)
    rounds_up: bool = False
    weights: int = 0
    parameters: int = 0

    @property
    def multiply_adds(self) -> int:
        """The multiplications by a weight, each with its addition, for one image: every weight at every position.

        Products of activations, as those inside an attention, aren't counted.
        """
        if self.kind == "dense":
            return self.weights * math.prod(self.output[:-1])
        if self.kind in (*RECURRENT, "attention"):
            return self.weights * self.input[0]
        return self.weights * math.prod((self.input if self.kind == "transposed convolution" else self.output)[1:])


class Inspection(Protocol[InspectedT]):
    """What the module `backend.inspection` of a framework's package implements, for parity and for `tandem shapes`.

    Arrays are in PyTorch's axis order, (n, channels, height, width).
    """

    def layers(self, model: InspectedT) -> list[Layer]:
        """Return the layers in the order in which they run, with their measured shapes."""

    def activations(self, model: InspectedT, images: Images) -> Weights:
        """Return the scaled images as `input`, and every layer's output by its path, with dropout off."""

    def loss_and_gradients(self, model: InspectedT, images: Images, labels: Labels) -> tuple[float, Weights]:
        """Return the mean loss of a batch, and its gradient by parameter."""

    def dropouts(self, model: InspectedT, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
        """Return the input and the output of every layer that drops, by its path."""


def output_size(size: int, *, kernel: int, stride: int = 1, padding: int = 0, rounds_up: bool = False) -> int:
    """Return the output size of a convolution or pooling along one axis: floor((in + padding - kernel) / stride) + 1.

    From the documentation of torch.nn.Conv2d and MaxPool2d. `padding` is that of both ends together; a dilated kernel
    is as large as its reach. `rounds_up` (`ceil_mode` there) takes the ceiling, unless the last window would start
    beyond the input and the padding before it, half of all. Keras's `valid` is padding 0.
    """
    reach = size + padding - kernel
    if not rounds_up:
        return reach // stride + 1
    windows = -(-reach // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding // 2 else windows


def same_size(size: int, *, stride: int = 1) -> int:
    """Return the output size with `same` padding along one axis: ceil(in / stride), from Keras's documentation."""
    return -(-size // stride)


def same_padding(size: int, *, kernel: int, stride: int = 1) -> Pair:
    """Return what TensorFlow pads before and after an axis for `same`: the odd one comes after.

    From TensorFlow's documentation, "Notes on padding" of tf.nn; PyTorch's `same` has no stride, and is the same.
    """
    total = max((same_size(size, stride=stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def with_blocks(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers, where those of an unknown kind that others ran inside of are blocks."""
    around = {layer.path.rpartition("/")[0] for layer in layers}
    blocks = {path for inner in around for path in itertools.accumulate(inner.split("/"), "{}/{}".format)}
    return [replace(one, kind="block") if one.kind == "other" and one.path in blocks else one for one in layers]


def expected_output(layer: Layer) -> tuple[int, ...] | None:
    """Return the output shape that the formulas above give for a layer's input; None for what has none."""
    if layer.kind in UNKNOWN:
        return None
    if layer.kind == "flatten":
        return (math.prod(layer.input),)
    if layer.kind == "dense":
        return (*layer.input[:-1], layer.features)
    if layer.kind == "embedding":
        return (*layer.input, layer.features)
    if layer.kind in RECURRENT:
        return (*layer.input[: len(layer.output) - 1], layer.features)
    if layer.kind in ("global average pooling", "global max pooling"):
        return (layer.input[0], *(1 for _ in layer.output[1:]))
    if layer.kind in ("adaptive average pooling", "adaptive max pooling"):
        return (layer.input[0], *layer.kernel)
    if layer.kind not in WINDOWED:
        return layer.input
    return (layer.features or layer.input[0], *(_windows(layer, axis) for axis in (0, 1)))


def reach(layer: Layer, axis: int) -> int:
    """Return how many rows (axis 0) or columns a kernel spans, the gaps of its dilation included."""
    return layer.dilation[axis] * (layer.kernel[axis] - 1) + 1


def padding_of(layer: Layer, axis: int) -> Pair:
    """Return how many rows (axis 0) or columns are padded before and after, or cropped by a transposed convolution."""
    if layer.padding != "same":
        before, after = layer.padding[axis]
        return before, after - layer.extra[axis]
    size = layer.output if layer.kind == "transposed convolution" else layer.input
    return same_padding(size[axis + 1], kernel=reach(layer, axis), stride=layer.stride[axis])


def _windows(layer: Layer, axis: int) -> int:
    size, stride = layer.input[axis + 1], layer.stride[axis]
    if layer.kind == "transposed convolution":
        if layer.padding == "same":
            return size * stride
        # From the documentation of torch.nn.ConvTranspose2d.
        return (size - 1) * stride - sum(layer.padding[axis]) + reach(layer, axis) + layer.extra[axis]
    if layer.padding == "same":
        return same_size(size, stride=stride)
    padding = sum(layer.padding[axis])
    return output_size(size, kernel=reach(layer, axis), stride=stride, padding=padding, rounds_up=layer.rounds_up)


def wrong_output(where: str, layers: Sequence[Layer]) -> str | None:
    """Return the first layer whose measured output has another shape than the formula gives, as a message."""
    for layer in layers:
        expected = expected_output(layer)
        if expected is not None and expected != layer.output:
            sizes = f"expected an output of {shown(expected)} by the formula; got {shown(layer.output)}"
            return f"{where}: {layer.path}: {sizes}; fix the layer, or the formula in experiments/contract/layers.py"
    return None


def shown(shape: Sequence[int]) -> str:
    """Return a shape as text, 20×24×24."""
    return "×".join(map(str, shape))


def layer_rows(layers: Sequence[Layer]) -> list[tuple[str, ...]]:
    """Return path, kind, output (channels first), parameters and multiply-adds per image of each layer, and a total."""
    rows: list[tuple[str, ...]] = []
    for layer in layers:
        counts = (f"{count:,}" if count else "" for count in (layer.parameters, layer.multiply_adds))
        rows.append((layer.path, layer.kind, shown(layer.output), *counts))
    parameters, multiply_adds = sum(layer.parameters for layer in layers), sum(layer.multiply_adds for layer in layers)
    return [*rows, ("total", "", "", f"{parameters:,}", f"{multiply_adds:,}")]


def layer_table(layers: Sequence[Layer]) -> str:
    """Return `layer_rows` as Markdown."""
    header = ("layer", "kind", "output", "parameters", "multiply-adds")
    align = ("left", "left", "left", "right", "right")
    return tabulate(layer_rows(layers), header, tablefmt="pipe", colalign=align, disable_numparse=True) + "\n"
