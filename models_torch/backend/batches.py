"""The batches of a training, from tensors on the device or from a feed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from experiments.contract.backend import TrainingSettings
from experiments.data.dataset import Images, Labels, batch_order
from experiments.data.feed import Feed, feed_of

# Images (n, height, width, channels), and labels, int64 (n,), on the device.
Block = Iterator[tuple[Tensor, Tensor]]


class Source(Protocol):
    """How many images a training has, and their batches, of which a block has `batches`; its last may have fewer."""

    @property
    def images(self) -> int: ...  # noqa: D102

    @property
    def batches(self) -> int: ...  # noqa: D102

    def blocks(self, epoch: int) -> Iterator[Block]:
        """Yield the blocks of an epoch, counted from 1."""


@dataclass(frozen=True)
class OnDevice:
    """All images on the device, of which a batch takes some.

    A DataLoader would fetch image by image and cost several times as much as this (see benchmarks/).
    """

    pixels: Tensor
    labels: Tensor
    settings: TrainingSettings

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self.labels)

    @property
    def batches(self) -> int:
        """The number of batches of a block."""
        return self.settings.log_every_steps

    def blocks(self, epoch: int) -> Iterator[Block]:
        """Yield the blocks of an epoch."""
        recipe, seed = self.settings.recipe, self.settings.seed
        size, drop_last = recipe.batch_size, recipe.drop_last
        order = batch_order(self.images, seed=seed, epoch=epoch, batch_size=size, drop_last=drop_last)
        indices = torch.from_numpy(order).to(self.labels.device).split(size)
        for start in range(0, len(indices), self.batches):
            yield ((self.pixels[one], self.labels[one]) for one in indices[start : start + self.batches])


@dataclass(frozen=True)
class Fed:
    """Images that come to the device a block at a time."""

    feed: Feed
    device: torch.device

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self.feed.labels)

    @property
    def batches(self) -> int:
        """The number of batches of a block."""
        return self.feed.batches

    def blocks(self, epoch: int) -> Iterator[Block]:
        """Yield the blocks of an epoch."""
        size = self.feed.recipe.batch_size
        for block in self.feed.blocks(epoch):
            images, labels = (torch.from_numpy(array).to(self.device).split(size) for array in block)
            yield zip(images, labels, strict=True)


class Blocks:
    """The blocks of one epoch, for Lightning, which takes a list of them for a list of loaders."""

    def __init__(self, source: Source, epoch: int, count: int) -> None:
        self.source, self.epoch, self.count = source, epoch, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Block]:
        return self.source.blocks(self.epoch)


def source_of(images: Images, labels: Labels, settings: TrainingSettings, device: torch.device) -> Source:
    """Return where the batches of a training come from."""
    recipe, every = settings.recipe, settings.log_every_steps
    if feed := feed_of(images, labels, recipe, seed=settings.seed, log_every_steps=every):
        return Fed(feed, device)
    pixels, targets = torch.from_numpy(np.array(images)), torch.from_numpy(labels.astype(np.int64))
    return OnDevice(pixels.to(device), targets.to(device), settings)
