"""Which arrays the layers of a PyTorch network have, trained or state, and how they start."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from experiments.contract.weights import BIAS, MEAN, SCALE, SHIFT, VARIANCE, WEIGHT, ArraySpec, refuse_arrays

LAYER_ARRAYS: dict[type[nn.Module], tuple[ArraySpec, ...]] = {
    nn.Conv2d: (WEIGHT, BIAS),
    nn.Linear: (WEIGHT, BIAS),
    nn.BatchNorm1d: (SCALE, SHIFT, MEAN, VARIANCE),
    nn.BatchNorm2d: (SCALE, SHIFT, MEAN, VARIANCE),
}
# Counts, and decides nothing while a momentum is set.
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Array:
    """An array of a network, and what is known of it."""

    tensor: Tensor
    spec: ArraySpec


def arrays_of(network: nn.Module) -> dict[str, Array]:
    """Return parameters and state by name, layer/array, in the order of the layers.

    Raises:
        TandemError: a layer has an array that isn't known.
    """
    return {
        f"{path.replace('.', '/')}/{name}": array
        for path, layer in network.named_modules()
        for name, array in _own(path, layer)
    }


def _own(path: str, layer: nn.Module) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a layer itself, without those of layers inside of it."""
    own = dict(layer.named_parameters(recurse=False)) | dict(layer.named_buffers(recurse=False))
    if getattr(layer, "momentum", 0) is not None:
        own.pop(_COUNTER, None)
    known = {spec.name: spec for spec in LAYER_ARRAYS.get(type(layer), ())}
    if not own.keys() <= known.keys():
        kinds = (kind.__name__ for kind in LAYER_ARRAYS)
        refuse_arrays(path or "itself", type(layer).__name__, own.keys() - known.keys(), kinds)
    for name, tensor in own.items():
        yield name, Array(tensor, known[name])
