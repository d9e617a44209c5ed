"""The batches of a training, from tensors on the device or from a feed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.contract.backend import TrainingSettings
from experiments.data.dataset import Images, Labels, batch_order
from experiments.data.feed import Feed, feed_of

Batch = tuple[tf.Tensor, tf.Tensor]


class OnDevice:
    """All images on the device, of which a batch takes some; a block has `batches`, its last may have fewer."""

    def __init__(self, images: Images, labels: Labels, settings: TrainingSettings) -> None:
        self.settings, self.images, self.batches = settings, len(labels), settings.log_every_steps
        self.data = np.array(images), np.array(labels)  # copies, which `restart` compares with
        self.pixels, self.labels = tf.constant(self.data[0]), tf.constant(labels, tf.int64)
        self.order = tf.Variable(self._order(1), trainable=False)

    def restart(self, images: Images, labels: Labels, settings: TrainingSettings) -> bool:
        """Prepare for another training with the same graph; False: it has other images, or other ways to them."""
        same = all(np.array_equal(old, new) for old, new in zip(self.data, (images, labels), strict=True))
        self.settings = settings
        return same and feed_for(images, labels, settings) is None

    def _order(self, epoch: int) -> tf.Tensor:
        recipe, seed = self.settings.recipe, self.settings.seed
        size, drop_last = recipe.batch_size, recipe.drop_last
        return tf.constant(batch_order(self.images, seed=seed, epoch=epoch, batch_size=size, drop_last=drop_last))

    def start_epoch(self, epoch: int) -> None:
        """Load the order of an epoch."""
        self.order.assign(self._order(epoch))

    def load_block(self) -> None:
        """Do nothing: all is there."""

    def batch(self, first: tf.Tensor, index: tf.Tensor) -> Batch:
        """Return a batch of the epoch, given that of its block which is the first, and its index in the block."""
        size = self.settings.recipe.batch_size
        indices = self.order[(first + index) * size : (first + index + 1) * size]
        return tf.gather(self.pixels, indices), tf.gather(self.labels, indices)


class Fed:
    """Images that come to the device a block at a time."""

    def __init__(self, feed: Feed) -> None:
        self.feed, self.images, self.batches = feed, len(feed.labels), feed.batches
        self.blocks: Iterator[tuple[Images, Any]] = iter(())
        no_images, no_labels = feed.images[:0], np.zeros(0, np.int64)
        self.pixels, self.labels = (
            tf.Variable(none, trainable=False, shape=(None, *none.shape[1:])) for none in (no_images, no_labels)
        )

    def restart(self, images: Images, labels: Labels, settings: TrainingSettings) -> bool:
        """Prepare for another training with the same graph; False: it needs another."""
        feed = feed_for(images, labels, settings)
        if feed is None or (feed.batches, len(labels)) != (self.batches, self.images):
            return False
        self.feed = feed
        return True

    def start_epoch(self, epoch: int) -> None:
        """Begin with the first block of an epoch."""
        self.blocks = self.feed.blocks(epoch)

    def load_block(self) -> None:
        """Bring the next block to the device."""
        images, labels = next(self.blocks)
        self.pixels.assign(images)
        self.labels.assign(labels)

    def batch(self, first: tf.Tensor, index: tf.Tensor) -> Batch:
        """Return a batch of the block that is loaded, given its index in it."""
        size = self.feed.recipe.batch_size
        part = slice(index * size, (index + 1) * size)
        return self.pixels[part], self.labels[part]


def feed_for(images: Images, labels: Labels, settings: TrainingSettings) -> Feed | None:
    """Return what feeds a training; None: its images go to the device."""
    return feed_of(images, labels, settings.recipe, seed=settings.seed, log_every_steps=settings.log_every_steps)


def source_of(images: Images, labels: Labels, settings: TrainingSettings) -> OnDevice | Fed:
    """Return where the batches of a training come from."""
    feed = feed_for(images, labels, settings)
    return OnDevice(images, labels, settings) if feed is None else Fed(feed)
