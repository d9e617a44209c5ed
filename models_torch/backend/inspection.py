"""The layers of a PyTorch model, their outputs, and gradients: `experiments.contract.layers.Inspection`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.contract.layers import NONE, Kind, Layer, Padding, Pair, with_blocks
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels
from models_torch.backend.arrays import is_depthwise, specs_of
from models_torch.backend.calls import first_tensor, naming
from models_torch.backend.dropout import SpatialDropout1d
from models_torch.backend.model import TorchModel
from models_torch.backend.positions import Positions
from models_torch.backend.recurrent import GRU, LSTM
from models_torch.backend.training import batch_loss

# A class stands for those derived from it, too.
KINDS: dict[type[nn.Module], Kind] = {
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
    nn.Linear: "dense",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AdaptiveAvgPool2d: "adaptive average pooling",
    nn.AdaptiveMaxPool2d: "adaptive max pooling",
    nn.ZeroPad2d: "zero padding",
    nn.Flatten: "flatten",
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky relu",
    nn.PReLU: "prelu",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.Softmax: "softmax",
    nn.Dropout: "dropout",
    nn.Dropout1d: "channel dropout",
    nn.Dropout2d: "channel dropout",
    nn.AlphaDropout: "alpha dropout",
    nn.BatchNorm1d: "batch normalisation",
    nn.BatchNorm2d: "batch normalisation",
    nn.LayerNorm: "layer normalisation",
    nn.GroupNorm: "group normalisation",
    nn.Embedding: "embedding",
    Positions: "positions",
    LSTM: "lstm",
    GRU: "gru",
    nn.MultiheadAttention: "attention",
}
DROPOUTS: tuple[Kind, ...] = ("dropout", "channel dropout", "alpha dropout")


@dataclass(frozen=True)
class Call:
    """One call of one layer in a forward pass."""

    path: str
    layer: nn.Module
    input: Tensor
    output: Tensor


def layers(model: TorchModel) -> list[Layer]:
    """Return the layers in the order in which they run, with the shapes of one image."""
    seen: set[int] = set()
    described = []
    for call in _trace(model, model.blank(), training=False):
        own = [one for one in own_parameters(call.layer) if id(one) not in seen]
        seen |= {id(one) for one in own}
        described.append(replace(_describe(call), parameters=sum(one.numel() for one in own if one.requires_grad)))
    return with_blocks(described)


def activations(model: TorchModel, images: Images) -> Weights:
    """Return the scaled images as `input`, and the output of every layer by its path, with dropout off."""
    calls = _trace(model, images, training=False)
    return {"input": _array(calls[0].input)} | {call.path: _array(call.output) for call in calls}


def dropouts(model: TorchModel, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
    """Return the input and the output of every dropout layer, by its path; channels come second."""
    calls = [call for call in _trace(model, images, training=training) if kind_of(call.layer) in DROPOUTS]
    return {call.path: (_channels_second(call, call.input), _channels_second(call, call.output)) for call in calls}


def loss_and_gradients(model: TorchModel, images: Images, labels: Labels) -> tuple[float, Weights]:
    """Return the mean loss of a batch, and its gradient by the names and in the shapes of the parameters."""
    model.module.train()
    model.module.zero_grad()
    targets = torch.from_numpy(labels.astype(np.int64)).to(model.device)
    loss = batch_loss(model.module(model.as_input(images)), targets)
    loss.backward()
    return loss.item(), model.get_gradients()


def _trace(model: TorchModel, images: Images, *, training: bool) -> list[Call]:
    calls: list[Call] = []
    was_training = model.module.training
    model.module.train(training)
    with torch.no_grad(), _hooks(model.module.network, calls):
        model.module(model.as_input(images))
    model.module.train(was_training)
    return calls


@contextmanager
def _hooks(network: nn.Module, calls: list[Call]) -> Iterator[None]:
    def keep(path: str) -> Callable[..., None]:
        return lambda layer, inputs, named, output: calls.append(
            Call(path, layer, first_tensor((inputs, named)), first_tensor(output))
        )

    layers = _outermost(network)
    handles = [layer.register_forward_hook(keep(path), with_kwargs=True) for path, layer in layers.items()]
    try:
        with naming(layers):
            yield
    finally:
        for handle in handles:
            handle.remove()


def _outermost(network: nn.Module, path: str = "") -> dict[str, nn.Module]:
    """Return the layers by path, but not those inside of a layer of a known kind."""
    layers = {path: network} if path else {}
    if kind_of(network) == "other":
        for name, layer in network.named_children():
            layers |= _outermost(layer, f"{path}/{name}" if path else name)
    return layers


def own_parameters(layer: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a layer itself; of a known kind, those inside of it too."""
    return list(layer.parameters(recurse=specs_of(layer) is not None))


def kind_of(layer: nn.Module) -> Kind:
    """Return the kind of a layer."""
    if isinstance(layer, nn.Conv2d) and is_depthwise(layer):
        return "depthwise convolution"
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d) and _pair(layer.output_size) == (1, 1):
        return "global average pooling" if isinstance(layer, nn.AdaptiveAvgPool2d) else "global max pooling"
    known = next((KINDS[kind] for kind in type(layer).__mro__ if kind in KINDS), None)
    return known or "other"


def _channels_second(call: Call, tensor: Tensor) -> FloatArray:
    return _array(tensor.transpose(1, 2) if isinstance(call.layer, SpatialDropout1d) else tensor)


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.cpu().numpy())


def _describe(call: Call) -> Layer:
    layer, form = call.layer, _form(call.layer)
    if isinstance(layer, nn.Linear):
        form["features"] = layer.out_features
    if isinstance(layer, nn.Dropout1d | nn.Dropout2d):
        form["features"] = _channels_second(call, call.input).shape[1]
    if isinstance(layer, nn.Embedding):
        form["features"] = layer.embedding_dim
    if isinstance(layer, LSTM | GRU):
        form["features"] = layer.hidden_size
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | LSTM | GRU | nn.MultiheadAttention):
        form["weights"] = sum(one.numel() for one in own_parameters(layer) if one.dim() > 1)
    return Layer(call.path, kind_of(layer), tuple(call.input.shape[1:]), tuple(call.output.shape[1:]), **form)


def _form(layer: nn.Module) -> dict[str, Any]:
    """Return the settings of a layer that moves windows."""
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return {"kernel": _pair(layer.output_size)}
    if isinstance(layer, nn.ZeroPad2d):
        left, right, top, bottom = layer.padding
        return {"padding": ((top, bottom), (left, right))}
    if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.MaxPool2d | nn.AvgPool2d):
        return {}
    form: dict[str, Any] = {
        "kernel": _pair(layer.kernel_size),
        "stride": _pair(layer.stride),
        "padding": _padding(layer.padding),
        "rounds_up": getattr(layer, "ceil_mode", False),
        "dilation": _pair(getattr(layer, "dilation", 1)),
    }
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        form["features"] = layer.out_channels
        form["extra"] = _pair(layer.output_padding)
    return form


def _pair(value: Any) -> Pair:
    """Return a setting for rows and columns, which may be one number for both."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _padding(value: Any) -> Padding:
    if isinstance(value, str):
        return "same" if value == "same" else NONE
    rows, columns = _pair(value)
    return (rows, rows), (columns, columns)
