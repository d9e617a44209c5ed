"""What a backend must tell about the inside of a model, for parity and for `tandem shapes`.

A package's module `backend.inspection` implements it. Arrays are in PyTorch's axis order, (n, channels, height, width).
"""

from typing import Protocol, TypeVar

from experiments.contract.backend import Model
from experiments.contract.layers import Layer
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels

InspectedT = TypeVar("InspectedT", bound=Model, contravariant=True)


class Inspection(Protocol[InspectedT]):
    """The module `backend.inspection` of a framework's package."""

    def layers(self, model: InspectedT) -> list[Layer]:
        """Return the layers in the order in which they run, with their measured shapes."""

    def activations(self, model: InspectedT, images: Images) -> Weights:
        """Return the scaled images as `input`, and every layer's output by its path, with dropout off."""

    def loss_and_gradients(self, model: InspectedT, images: Images, labels: Labels) -> tuple[float, Weights]:
        """Return the mean loss of a batch, and its gradient by parameter."""

    def dropouts(self, model: InspectedT, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
        """Return the input and the output of every dropout layer, by its path."""
