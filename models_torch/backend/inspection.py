"""The layers of a PyTorch model, their outputs, and gradients: `experiments.contract.layers.Inspection`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.contract.layers import Kind, Layer
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels
from models_torch.backend.model import TorchModel
from models_torch.backend.training import batch_loss

KINDS: dict[type[nn.Module], Kind] = {
    nn.Conv2d: "convolution",
    nn.Linear: "dense",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.ZeroPad2d: "zero padding",
    nn.Flatten: "flatten",
    nn.ReLU: "relu",
    nn.Dropout: "dropout",
    nn.BatchNorm1d: "batch normalisation",
    nn.BatchNorm2d: "batch normalisation",
}


@dataclass(frozen=True)
class Call:
    """One call of one layer in a forward pass."""

    path: str
    layer: nn.Module
    input: Tensor
    output: Tensor


def layers(model: TorchModel) -> list[Layer]:
    """Return the layers in the order in which they run, with the shapes of one image."""
    return [_describe(call) for call in _trace(model, model.blank(), training=False)]


def activations(model: TorchModel, images: Images) -> Weights:
    """Return the scaled images as `input`, and the output of every layer by its path, with dropout off."""
    calls = _trace(model, images, training=False)
    return {"input": _array(calls[0].input)} | {call.path: _array(call.output) for call in calls}


def dropouts(model: TorchModel, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
    """Return the input and the output of every dropout layer, by its path."""
    calls = _trace(model, images, training=training)
    return {c.path: (_array(c.input), _array(c.output)) for c in calls if isinstance(c.layer, nn.Dropout)}


def loss_and_gradients(model: TorchModel, images: Images, labels: Labels) -> tuple[float, Weights]:
    """Return the mean loss of a batch, and its gradient by the names and in the shapes of the parameters."""
    model.module.train()
    model.module.zero_grad()
    targets = torch.from_numpy(labels).to(model.device, torch.int64)
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
    def keep(path: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda layer, inputs, output: calls.append(Call(path, layer, inputs[0], output))

    def enter(path: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda layer, inputs: entered.append(f"{path}, given {tuple(inputs[0].shape[1:])}")

    named = {path.replace(".", "/"): layer for path, layer in network.named_modules() if path}
    handles = [layer.register_forward_hook(keep(path)) for path, layer in named.items()]
    handles += [layer.register_forward_pre_hook(enter(path)) for path, layer in named.items()]
    entered: list[str] = []
    try:
        yield
    except RuntimeError as error:
        raise RuntimeError(f"layer {entered[-1] if entered else 'none'}: {error}") from error
    finally:
        for handle in handles:
            handle.remove()


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.cpu().numpy())


def _describe(call: Call) -> Layer:
    layer = call.layer
    form: dict[str, Any] = {}
    if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        form = {
            "kernel": _single(layer.kernel_size),
            "stride": _single(layer.stride),
            "padding": _single(layer.padding),
        }
    if isinstance(layer, nn.ZeroPad2d):
        form = {"padding": _single(layer.padding)}
    if isinstance(layer, nn.Conv2d | nn.Linear):
        form["features"] = layer.weight.shape[0]
        form["weights"] = layer.weight.numel()
    return Layer(
        call.path,
        KINDS.get(type(layer), "block"),
        tuple(call.input.shape[1:]),
        tuple(call.output.shape[1:]),
        rounds_up=getattr(layer, "ceil_mode", False),
        parameters=sum(value.numel() for value in layer.parameters(recurse=False) if value.requires_grad),
        **form,
    )


def _single(value: int | str | tuple[int, ...]) -> int | str:
    """Return the number that a setting has in both directions, or the word."""
    return value if isinstance(value, int | str) else value[0]
