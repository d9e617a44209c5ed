"""A multilayer perceptron with four hidden layers."""

from collections import OrderedDict

from torch import nn


def build(classes: int) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),  # → 784
            dense1=nn.LazyLinear(520),
            relu1=nn.ReLU(),
            dense2=nn.Linear(520, 320),
            relu2=nn.ReLU(),
            dense3=nn.Linear(320, 240),
            relu3=nn.ReLU(),
            dense4=nn.Linear(240, 120),
            relu4=nn.ReLU(),
            output=nn.Linear(120, classes),
        )
    )
