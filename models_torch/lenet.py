"""LeNet with 20 and 50 filters.

After LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998).
"""

from collections import OrderedDict

from torch import nn


def build(classes: int) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(20, kernel_size=5),  # → 20×24×24
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),  # → 20×12×12
            conv2=nn.Conv2d(20, 50, kernel_size=5),  # → 50×8×8
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),  # → 50×4×4
            flatten=nn.Flatten(),  # → 800, channel by channel
            dense1=nn.LazyLinear(500),
            relu3=nn.ReLU(),
            output=nn.Linear(500, classes),
        )
    )
