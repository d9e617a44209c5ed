"""The inside of a network, in terms that both frameworks share."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

from experiments.contract.model import Model
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


def with_blocks(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers, where those of an unknown kind that others ran inside of are blocks."""
    around = {layer.path.rpartition("/")[0] for layer in layers}
    blocks = {path for inner in around for path in itertools.accumulate(inner.split("/"), "{}/{}".format)}
    return [replace(one, kind="block") if one.kind == "other" and one.path in blocks else one for one in layers]


def shown(shape: Sequence[int]) -> str:
    """Return a shape as text, 20×24×24."""
    return "×".join(map(str, shape))
