"""A training's images in blocks of batches, for those that are augmented or too many for the memory.

All others lie on the device as a whole, which is faster.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.data.augmentation import Changes, draw_changes
from experiments.data.dataset import Images, Labels, batch_order
from experiments.settings.recipe import Recipe

# Of images that are fed, a block at a time is in memory, and the one after it.
MOST_BYTES, BLOCK_BYTES = 2 * 10**9, 2**27


@dataclass(frozen=True)
class Feed:
    """The images (n, height, width, channels) and labels of a training, which may be memory-mapped.

    A block has `batches` batches; the last one of an epoch may have fewer.
    """

    images: Images
    labels: Labels
    recipe: Recipe
    seed: int
    batches: int

    def blocks(self, epoch: int) -> Iterator[tuple[Images, npt.NDArray[np.int64]]]:
        """Yield the blocks of an epoch, counted from 1: its images and labels in the order of the batches.

        The next block is made in a thread, while the training takes its steps.
        """
        recipe, size = self.recipe, self.batches * self.recipe.batch_size
        order = batch_order(
            len(self.labels), seed=self.seed, epoch=epoch, batch_size=recipe.batch_size, drop_last=recipe.drop_last
        )
        settings, count = recipe.augmentation, len(self.labels)
        changes = draw_changes(settings, count, seed=self.seed, epoch=epoch) if settings else None
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        with ThreadPoolExecutor(1) as thread:
            coming = [thread.submit(self._block, part, changes) for part in parts[:1]]
            for part in [*parts[1:], None]:
                block = coming.pop().result()
                if part is not None:
                    coming.append(thread.submit(self._block, part, changes))
                yield block

    def _block(self, numbers: npt.NDArray[np.int64], changes: Changes | None) -> tuple[Images, npt.NDArray[np.int64]]:
        images, labels = np.asarray(self.images[numbers]), self.labels[numbers].astype(np.int64)
        return changes.apply(images, numbers) if changes else images, labels


def feed_of(images: Images, labels: Labels, recipe: Recipe, *, seed: int, log_every_steps: int) -> Feed | None:
    """Return what feeds a training; None: its images go to the device as they are, all at once."""
    if recipe.augmentation is None and images.nbytes <= MOST_BYTES:
        return None
    batch = recipe.batch_size * images[:1].nbytes
    return Feed(images, labels, recipe, seed, min(log_every_steps, max(1, BLOCK_BYTES // batch)))
