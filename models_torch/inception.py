"""Two convolutions, each followed by four parallel branches.

After Szegedy et al., "Going deeper with convolutions" (2015), without activations inside the branches.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


class Inception(nn.Module):
    """Four branches on the same input, joined on the channel axis: (n, channels, h, w) → (n, 88, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch1x1 = nn.Conv2d(channels, 16, kernel_size=1)
        self.branch5x5_1 = nn.Conv2d(channels, 16, kernel_size=1)
        self.branch5x5_2 = nn.Conv2d(16, 24, kernel_size=5, padding="same")
        self.branch3x3_1 = nn.Conv2d(channels, 16, kernel_size=1)
        self.branch3x3_2 = nn.Conv2d(16, 24, kernel_size=3, padding="same")
        self.branch3x3_3 = nn.Conv2d(24, 24, kernel_size=3, padding="same")
        # The zeros at the border count in the average, as in AvgPool2d(3, stride=1, padding=1).
        self.pool_pad = nn.ZeroPad2d(1)
        self.pool = nn.AvgPool2d(3, stride=1)
        self.branch_pool = nn.Conv2d(channels, 24, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the branches' outputs, joined."""
        one = self.branch1x1(images)  # → 16
        five = self.branch5x5_2(self.branch5x5_1(images))  # → 24
        three = self.branch3x3_3(self.branch3x3_2(self.branch3x3_1(images)))  # → 24
        pooled = self.branch_pool(self.pool(self.pool_pad(images)))  # → 24
        return torch.cat([one, five, three, pooled], dim=1)


def build(classes: int) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(10, kernel_size=5),  # → 10×24×24
            pool1=nn.MaxPool2d(2),  # → 10×12×12
            relu1=nn.ReLU(),
            inception1=Inception(10),  # → 88×12×12
            conv2=nn.Conv2d(88, 20, kernel_size=5),  # → 20×8×8
            pool2=nn.MaxPool2d(2),  # → 20×4×4
            relu2=nn.ReLU(),
            inception2=Inception(20),  # → 88×4×4
            flatten=nn.Flatten(),  # → 1408, channel by channel
            output=nn.LazyLinear(classes),
        )
    )
