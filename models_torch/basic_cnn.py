"""Two pairs of 3×3 convolutions and a hidden dense layer, with the same dropout after three of its layers."""

from collections import OrderedDict

from torch import nn


def build(classes: int, dropout: float) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(32, kernel_size=3, padding="same"),  # type: ignore[arg-type] # → 32×28×28
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(32, 32, kernel_size=3, padding="same"),  # → 32×28×28
            relu2=nn.ReLU(),
            pool1=nn.MaxPool2d(2),  # → 32×14×14
            dropout1=nn.Dropout(dropout),
            conv3=nn.Conv2d(32, 64, kernel_size=3, padding="same"),  # → 64×14×14
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(64, 64, kernel_size=3, padding="same"),  # → 64×14×14
            relu4=nn.ReLU(),
            pool2=nn.MaxPool2d(2),  # → 64×7×7
            dropout2=nn.Dropout(dropout),
            flatten=nn.Flatten(),  # → 3136, channel by channel
            dense1=nn.LazyLinear(512),
            relu5=nn.ReLU(),
            dropout3=nn.Dropout(dropout),
            output=nn.Linear(512, classes),
        )
    )
