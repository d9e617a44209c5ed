"""Writes a prepared dataset from raw images, block by block, since they may be larger than the memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import DESCRIPTION, Images, Split, SplitName, largest_pixel
from experiments.system.errors import TandemError
from experiments.system.files import digest, write_json

BLOCK_BYTES = 2**24  # counting its pixels takes 8 times as much


def write_split(folder: Path, name: str, split: Split, order: npt.NDArray[np.int64]) -> Split:
    """Write images and labels in an order as NAME_images.npy and NAME_labels.npy; return them, memory-mapped."""
    shape = (len(order), *split.images.shape[1:])
    images = np.lib.format.open_memmap(folder / f"{name}_images.npy", "w+", split.images.dtype, shape)
    for block in blocks(images):
        images[block] = split.images[order[block]]
    images.flush()
    labels = split.labels[order].astype(np.uint16)
    np.save(folder / f"{name}_labels.npy", labels)
    return Split(images, labels)


def write_description(folder: Path, about: Mapping[str, Any], training: Split, test: Split, kept: int) -> None:
    """Write dataset.json: `about`, the number of classes at least, and what is counted.

    The first `kept` of the training images are the training split, the others the validation split.

    Raises:
        TandemError: all pixels of a channel are the same.
    """
    labels: dict[SplitName, npt.NDArray[np.uint16]] = {
        "train": training.labels[:kept],
        "validation": training.labels[kept:],
        "test": test.labels,
    }
    arrays = {
        f"{name}_{what}": array
        for name, split in (("training", training), ("test", test))
        for what, array in (("images", split.images), ("labels", split.labels))
    }
    # Never of images that are held out from the training that uses them.
    counts = {"train": pixel_counts(training.images[:kept])}
    counts["train+validation"] = counts["train"] + pixel_counts(training.images[kept:])
    counted = {
        "fingerprint": digest(arrays),
        "image_shape": list(training.images.shape[1:]),
        "pixel_type": training.images.dtype.name,
        "images": {name: len(one) for name, one in labels.items()},
        "images_per_class": {
            name: np.bincount(one, minlength=about["classes"]).tolist() for name, one in labels.items()
        },
        "statistics": {train_on: _statistics(count) for train_on, count in counts.items()},
    }
    write_json(folder / DESCRIPTION, {**about, **counted})


def blocks(images: Images) -> Iterator[slice]:
    """Yield slices that images are read by, so that the memory holds a few of them at a time."""
    step = max(1, BLOCK_BYTES // (images[:1].nbytes or 1))
    return (slice(start, start + step) for start in range(0, len(images), step))


def pixel_counts(images: Images) -> npt.NDArray[np.int64]:
    """Return how often each value is there, int64 (channels, values)."""
    channels, values = images.shape[-1], largest_pixel(images.dtype) + 1
    counts = np.zeros((channels, values), np.int64)
    for block in blocks(images):
        pixels = np.asarray(images[block]).reshape(-1, channels)
        for channel in range(channels):
            counts[channel] += np.bincount(pixels[:, channel], minlength=values)
    return counts


def _statistics(counts: npt.NDArray[np.int64]) -> dict[str, float | list[float]]:
    """Return mean and standard deviation of the pixels, scaled to 0..1, of each channel; exact, from the counts."""
    found = [_mean_and_deviation(count / count.sum(), channel) for channel, count in enumerate(counts)]
    means, deviations = ([pair[place] for pair in found] for place in (0, 1))
    return {"mean": means, "std": deviations} if len(found) > 1 else {"mean": means[0], "std": deviations[0]}


def _mean_and_deviation(shares: npt.NDArray[np.float64], channel: int) -> tuple[float, float]:
    if shares.max() == 1:  # standardising would divide by 0
        got = f"every pixel {shares.argmax()} in channel {channel}"
        raise TandemError(f"data/: expected training images that differ; got {got}")
    values = np.arange(len(shares)) / (len(shares) - 1)
    mean = float(shares @ values)
    return mean, float(np.sqrt(shares @ (values - mean) ** 2))
