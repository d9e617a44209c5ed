"""Two 5×5 convolutions, each pooled before its ReLU, and a dense output."""

from collections import OrderedDict

from torch import nn


def build(classes: int) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(10, kernel_size=5, padding="same"),  # type: ignore[arg-type] # → 10×28×28
            pool1=nn.MaxPool2d(2),  # → 10×14×14
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(10, 20, kernel_size=5, padding="same"),  # → 20×14×14
            pool2=nn.MaxPool2d(2),  # → 20×7×7
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # → 980, channel by channel
            output=nn.LazyLinear(classes),
        )
    )
