"""Enlarges the scaled images in front of a network, and gives them its channels."""

import torch
from torch import Tensor, nn

from experiments.contract.model_settings import ModelSettings
from experiments.data.dataset import ImageShape
from experiments.data.enlarging import bilinear


class Enlarge(nn.Module):
    """Bilinear interpolation, as `experiments.data.enlarging` has it: (n, 1 or channels, h, w) → (n, channels, …)."""

    rows: Tensor
    columns: Tensor

    def __init__(self, old: ImageShape, new: ImageShape) -> None:
        super().__init__()
        self.channels = new[-1]
        # Not persistent: a saved model has the network's arrays alone.
        self.register_buffer("rows", torch.from_numpy(bilinear(old[0], new[0])), persistent=False)
        self.register_buffer("columns", torch.from_numpy(bilinear(old[1], new[1])), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images enlarged, a single channel repeated."""
        enlarged = self.rows @ images @ self.columns.T
        return enlarged.expand(-1, self.channels, -1, -1)


def enlarging(settings: ModelSettings) -> nn.Module:
    """Return what stands between the scaling and the network: nothing, for the dataset's own images."""
    if settings.takes_images_as_they_are:
        return nn.Identity()
    return Enlarge(settings.image_shape, settings.network_shape)
