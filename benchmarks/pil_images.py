"""The dataset that users of torchvision have: a PIL image, transformed, for every item."""

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from benchmarks.workload import MEAN, STD
from experiments.data.dataset import Images, Labels


class PilImages(Dataset[tuple[torch.Tensor, int]]):
    """What torchvision's MNIST does for an image, with ToTensor and Normalize, operation by operation.

    From uint8 (n, 28, 28, 1) and uint16 (n,); an item is float32 (1, 28, 28) and its class.
    """

    def __init__(self, images: Images, labels: Labels) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = Image.fromarray(self.images[index, ..., 0])
        tensor = torch.from_numpy(np.array(image, np.uint8, copy=True)).view(28, 28, 1)
        tensor = tensor.permute(2, 0, 1).contiguous().to(torch.float32).div(255).clone()
        mean, std = torch.as_tensor([MEAN], dtype=tensor.dtype), torch.as_tensor([STD], dtype=tensor.dtype)
        if (std == 0).any():
            raise ValueError("a standard deviation of 0")
        return tensor.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1)), int(self.labels[index])
