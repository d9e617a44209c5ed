"""Two 3×3 convolutions and a dense output."""

from collections import OrderedDict

from torch import nn


def build(classes: int) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(32, kernel_size=3, padding="same"),  # type: ignore[arg-type] # → 32×28×28
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),  # → 32×14×14
            conv2=nn.Conv2d(32, 64, kernel_size=3, padding="same"),  # → 64×14×14
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),  # → 64×7×7
            flatten=nn.Flatten(),  # → 3136, channel by channel
            output=nn.LazyLinear(classes),
        )
    )
