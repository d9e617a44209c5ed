"""The inside of a network, in terms that both frameworks share: its layers, and the expected size of their outputs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from tabulate import tabulate

from experiments.contract.backend import Model
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels

InspectedT = TypeVar("InspectedT", bound=Model, contravariant=True)

Kind = Literal[
    "convolution",
    "dense",
    "max pooling",
    "average pooling",
    "zero padding",
    "flatten",
    "relu",
    "dropout",
    "batch normalisation",
    "block",
]
Padding = int | Literal["same"]


@dataclass(frozen=True)
class Layer:
    """One layer of a built network.

    `path` is its name, after that of the block around it (`inception1/branch1x1`). `input` and `output` are the
    shapes measured for one image, in PyTorch's order in both frameworks: (channels, height, width), or (features,).
    `features` are the output channels of a convolution or the units of a dense layer; `kernel`, `stride` and `padding`
    are those of a convolution, pooling or padding, the same in both directions; `rounds_up` is pooling that keeps a
    last, incomplete window. `weights` is the size of its weight, `parameters` includes its bias.
    """

    path: str
    kind: Kind
    input: tuple[int, ...]
    output: tuple[int, ...]
    features: int = 0
    kernel: int = 1
    stride: int = 1
    padding: Padding = 0
    rounds_up: bool = False
    weights: int = 0
    parameters: int = 0

    @property
    def multiply_adds(self) -> int:
        """The multiplications by a weight, each with its addition, for one image: every weight at every position."""
        return self.weights * math.prod(self.output[1:])


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
        """Return the input and the output of every dropout layer, by its path."""


def output_size(size: int, *, kernel: int, stride: int = 1, padding: int = 0, rounds_up: bool = False) -> int:
    """Return the output size of a convolution or pooling along one axis: floor((in + 2·padding - kernel) / stride) + 1.

    From the documentation of torch.nn.Conv2d and MaxPool2d. `rounds_up` (`ceil_mode` there) takes the ceiling, unless
    the last window would start beyond the input and its padding. Keras's `valid` is padding 0.
    """
    reach = size + 2 * padding - kernel
    if not rounds_up:
        return reach // stride + 1
    windows = -(-reach // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding else windows


def same_size(size: int, *, stride: int = 1) -> int:
    """Return the output size with `same` padding along one axis: ceil(in / stride), from Keras's documentation."""
    return -(-size // stride)


def expected_output(layer: Layer) -> tuple[int, ...] | None:
    """Return the output shape that the formulas above give for a layer's input; None for a block."""
    if layer.kind == "block":
        return None
    if layer.kind == "flatten":
        return (math.prod(layer.input),)
    if layer.kind == "dense":
        return (layer.features,)
    if layer.kind in ("relu", "dropout", "batch normalisation"):
        return layer.input
    channels, *sizes = layer.input
    if layer.padding == "same":
        sizes = [same_size(size, stride=layer.stride) for size in sizes]
    else:
        form = {"kernel": layer.kernel, "stride": layer.stride, "padding": layer.padding}
        sizes = [output_size(size, **form, rounds_up=layer.rounds_up) for size in sizes]
    return (layer.features or channels, *sizes)


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
