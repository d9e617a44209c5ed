"""Which arrays the layers of a PyTorch network have, trained or state, and how they start."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from experiments.contract import arrays
from experiments.contract.arrays import ArraySpec, Shapes, refuse_arrays
from experiments.contract.weights import Parameter
from models_torch.backend.recurrent import GRU, LSTM
from models_torch.backend.refusals import check_settings

# A class stands for those derived from it, too.
LAYER_ARRAYS: dict[type[nn.Module], tuple[ArraySpec, ...]] = {
    nn.Conv2d: arrays.CONVOLUTION,
    nn.ConvTranspose2d: arrays.CONVOLUTION,
    nn.Linear: arrays.DENSE,
    nn.BatchNorm1d: arrays.BATCH_NORMALISATION,
    nn.BatchNorm2d: arrays.BATCH_NORMALISATION,
    nn.LayerNorm: arrays.NORMALISATION,
    nn.GroupNorm: arrays.NORMALISATION,
    nn.PReLU: arrays.PRELU,
    nn.Embedding: arrays.EMBEDDING,
    LSTM: arrays.LSTM,
    GRU: arrays.GRU,
    nn.MultiheadAttention: arrays.ATTENTION,
}


@dataclass(frozen=True)
class Array:
    """An array of a network, and what is known of it; `shapes` are those of its layer's arrays."""

    layer: str
    tensor: Tensor
    spec: ArraySpec
    shapes: Shapes

    def parameter(self) -> Parameter:
        """Return it as both frameworks know it."""
        return self.spec.parameter(self.layer, self.shapes, trainable=self.spec.trainable and self.tensor.requires_grad)


def arrays_of(network: nn.Module) -> dict[str, Array]:
    """Return parameters and state by name, layer/array, in the order of the layers.

    Raises:
        TandemError: a layer has an array or a setting that isn't known.
    """
    return {
        f"{array.layer}/{array.spec.name}": array
        for path, layer in _outermost(network)
        for array in _arrays(path.replace(".", "/"), layer)
    }


def specs_of(layer: nn.Module) -> tuple[ArraySpec, ...] | None:
    """Return the arrays that a layer of this kind may have; None for a kind that isn't known."""
    specs = next((LAYER_ARRAYS[kind] for kind in type(layer).__mro__ if kind in LAYER_ARRAYS), None)
    if isinstance(layer, nn.Conv2d) and is_depthwise(layer):
        return arrays.DEPTHWISE
    return specs


def is_depthwise(layer: nn.Conv2d) -> bool:
    """Return whether each output channel sees one input channel alone."""
    return layer.groups == layer.in_channels > 1


def _outermost(network: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers, but not those inside of a layer of a known kind, such as the projection of an attention."""
    yield path, network
    if specs_of(network) is None:
        for name, layer in network.named_children():
            yield from _outermost(layer, f"{path}.{name}" if path else name)


def _arrays(path: str, layer: nn.Module) -> Iterator[Array]:
    check_settings(path, layer)
    specs = specs_of(layer)
    owned = dict(layer.named_parameters(recurse=specs is not None)) | dict(layer.named_buffers(recurse=False))
    own = {name.replace(".", "/"): tensor for name, tensor in owned.items() if not _decides_nothing(layer, name)}
    known = {spec.name: spec for spec in specs or ()}
    if not own.keys() <= known.keys():
        refuse_arrays(path or "itself", _shown(type(layer)), own.keys() - known.keys())
    shapes = Shapes({name: tuple(tensor.shape) for name, tensor in own.items()}, getattr(layer, "groups", 1))
    for name, tensor in own.items():
        yield Array(path, tensor, known[name], shapes)


def _decides_nothing(layer: nn.Module, name: str) -> bool:
    """Return whether an array has no effect: a count, while a momentum is set, and the second bias of an LSTM."""
    if name == "num_batches_tracked":
        return getattr(layer, "momentum", None) is not None
    return isinstance(layer, LSTM) and name == "bias_hh_l0"


def _shown(kind: type[nn.Module]) -> str:
    return f"nn.{kind.__name__}" if kind.__module__.startswith("torch.nn.") else f"{kind.__module__}.{kind.__name__}"
