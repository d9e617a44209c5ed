"""Three convolutions, a hidden dense layer, and dropout before the output."""

from collections import OrderedDict

from torch import nn


def build(classes: int, dropout: float, filters: int = 32, units: int = 256) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes).

    `filters` are those of the first convolution, `units` those of the hidden layer.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(filters, kernel_size=3, padding="same"),  # type: ignore[arg-type] # → 32×28×28
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2, ceil_mode=True),  # → 32×14×14
            conv2=nn.Conv2d(filters, 2 * filters, kernel_size=3, padding="same"),  # → 64×14×14
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2, ceil_mode=True),  # → 64×7×7
            conv3=nn.Conv2d(2 * filters, 4 * filters, kernel_size=3, padding="same"),  # → 128×7×7
            relu3=nn.ReLU(),
            pool3=nn.MaxPool2d(2, ceil_mode=True),  # → 128×4×4
            flatten=nn.Flatten(),  # → 2048, channel by channel
            dense1=nn.LazyLinear(units),
            relu4=nn.ReLU(),
            dropout=nn.Dropout(dropout),
            output=nn.Linear(units, classes),
        )
    )
