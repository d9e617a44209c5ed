"""Which layers of a PyTorch model run, in which order, on which input."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models_torch.backend.calls import first_tensor, naming
from models_torch.backend.kinds import kind_of


@dataclass(frozen=True)
class Call:
    """One call of one layer in a forward pass; `path` is its name after those of the blocks around it."""

    path: str
    layer: nn.Module
    input: Tensor
    output: Tensor


def trace(module: nn.Module, network: nn.Module, images: Tensor, *, training: bool) -> list[Call]:
    """Return the calls of the layers of `network`, a part of `module`, while that runs on images (n, c, h, w)."""
    calls: list[Call] = []
    was_training = module.training
    module.train(training)
    with torch.no_grad(), _hooks(network, calls):
        module(images)
    module.train(was_training)
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
