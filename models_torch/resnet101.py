"""ResNet-101: He et al., "Deep residual learning for image recognition" (2016), table 1.

Names, shapes and the place of the stride, on the 3×3 convolution, are those of torchvision's resnet101.
"""

from collections import OrderedDict

from torch import Tensor, nn


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut: (n, channels, h, w) → (n, 4·width, h / stride, w / stride)."""

    def __init__(self, channels: int, width: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(width, 4 * width, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if channels != 4 * width:
            shortcut = nn.Conv2d(channels, 4 * width, kernel_size=1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))
        self.relu3 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Return the two paths, added."""
        inner: Tensor = self.relu1(self.bn1(self.conv1(images)))
        inner = self.relu2(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        shortcut = images if self.downsample is None else self.downsample(images)
        output: Tensor = self.relu3(inner + shortcut)
        return output


def stage(channels: int, width: int, *, blocks: int, stride: int) -> nn.Sequential:
    """Return blocks, the first of which changes channels and size."""
    first = Bottleneck(channels, width, stride=stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width) for _ in range(1, blocks)))


def build(classes: int) -> nn.Sequential:
    """Return the network for scaled images, float32 (n, 3, 224, 224) or another size → logits (n, classes)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False),  # → 64×112×112
            bn1=nn.BatchNorm2d(64),
            relu=nn.ReLU(),
            maxpool=nn.MaxPool2d(3, stride=2, padding=1),  # → 64×56×56
            layer1=stage(64, 64, blocks=3, stride=1),  # → 256×56×56
            layer2=stage(256, 128, blocks=4, stride=2),  # → 512×28×28
            layer3=stage(512, 256, blocks=23, stride=2),  # → 1024×14×14
            layer4=stage(1024, 512, blocks=3, stride=2),  # → 2048×7×7
            avgpool=nn.AdaptiveAvgPool2d(1),  # → 2048×1×1
            flatten=nn.Flatten(),
            fc=nn.Linear(2048, classes),
        )
    )
