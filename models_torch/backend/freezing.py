"""Layers that aren't trained."""

from collections.abc import Sequence

from torch import nn

from experiments.contract.freezing import frozen_layers

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def freeze(network: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """Train nothing of the layers of these names; return their normalisations, which are to stay in evaluation mode.

    That is what `trainable = False` does in Keras. Dropout inside of them stays on, as it does there.
    """
    layers = {path.replace(".", "/"): layer for path, layer in network.named_modules() if path}
    frozen = [layers[path].requires_grad_(False) for path in frozen_layers(layers, names)]
    return [layer for layer in frozen if isinstance(layer, NORMALISATIONS)]
