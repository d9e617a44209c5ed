"""Lazy layers, which take the size of their input from the first image."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from experiments.data.dataset import ImageShape
from models_torch.backend.calls import naming


@contextmanager
def lazy_layers() -> Iterator[None]:
    """Allow `nn.LazyConv2d` and `nn.LazyLinear` without PyTorch's warning that its lazy layers may still change."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Lazy modules are a new feature", UserWarning)
        yield


def give_sizes(network: nn.Module, image_shape: ImageShape) -> None:
    """Run a network with lazy layers once, after which these are `nn.Conv2d`, `nn.Linear` and so on.

    Raises:
        RuntimeError: a layer can't take its input; naming the layer.
    """
    if not any(map(is_lazy, network.parameters())):
        return
    height, width, channels = image_shape
    was_training = network.training
    network.eval()  # or a normalisation would take its statistics from the black image
    with torch.no_grad(), naming({path: layer for path, layer in network.named_modules() if path}):
        network(torch.zeros(1, channels, height, width))
    network.train(was_training)
