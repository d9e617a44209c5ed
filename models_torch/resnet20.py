"""A residual network of 20 layers for small images: He et al., "Deep residual learning" (2016), section 4.2.

Where the size halves, the shortcut is a 1×1 convolution (option B there). Names are torchvision's.
"""

from collections import OrderedDict

from torch import Tensor, nn


class Block(nn.Module):
    """Two convolutions beside a shortcut: (n, channels, h, w) → (n, features, h / stride, w / stride)."""

    def __init__(self, channels: int, features: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, features, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(features, features, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(features)
        self.downsample = None
        if stride != 1:
            shortcut = nn.Conv2d(channels, features, kernel_size=1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(features))
        self.relu2 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Return the two paths, added."""
        inner: Tensor = self.relu1(self.bn1(self.conv1(images)))
        inner = self.bn2(self.conv2(inner))
        shortcut = images if self.downsample is None else self.downsample(images)
        output: Tensor = self.relu2(inner + shortcut)
        return output


def stage(channels: int, features: int, *, stride: int) -> nn.Sequential:
    """Return three blocks, the first of which changes channels and size."""
    first = Block(channels, features, stride=stride)
    return nn.Sequential(first, Block(features, features), Block(features, features))


def build(classes: int, filters: int = 16) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes).

    `filters` are those of the first stage; each other stage has twice as many as the one before.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.LazyConv2d(filters, kernel_size=3, padding=1, bias=False),  # → 16×28×28
            bn1=nn.BatchNorm2d(filters),
            relu=nn.ReLU(),
            layer1=stage(filters, filters, stride=1),  # → 16×28×28
            layer2=stage(filters, 2 * filters, stride=2),  # → 32×14×14
            layer3=stage(2 * filters, 4 * filters, stride=2),  # → 64×7×7
            avgpool=nn.AdaptiveAvgPool2d(1),  # → 64×1×1
            flatten=nn.Flatten(),
            fc=nn.Linear(4 * filters, classes),
        )
    )
