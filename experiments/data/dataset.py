"""The prepared dataset as arrays, and the order in which a training sees the images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from experiments.data.randomness import stream
from experiments.system.errors import TandemError
from experiments.system.files import digest, read_json

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]
SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
TrainOn = Literal["train", "train+validation"]


@dataclass(frozen=True)
class Split:
    """Images, uint8 of shape (n, height, width), 0 to 255, and labels, uint8 of shape (n,)."""

    images: Images
    labels: Labels


# The height and width that the architectures expect: MNIST's.
IMAGE_SHAPE = (28, 28)


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of the pixels, scaled to 0..1."""

    mean: float
    std: float


@dataclass(frozen=True)
class Dataset:
    """A dataset that preprocess wrote to `folder`; the fingerprint is a digest of its arrays."""

    folder: Path
    name: str
    fingerprint: str
    image_shape: tuple[int, int]
    classes: int
    statistics: Mapping[str, Statistics]

    def split(self, name: SplitName) -> Split:
        """Return one split; the images are memory-mapped, read-only."""
        images = np.load(self.folder / f"{name}_images.npy", mmap_mode="r")
        return Split(images, np.load(self.folder / f"{name}_labels.npy"))

    def training_split(self, train_on: TrainOn) -> Split:
        """Return the images that a recipe trains on: the training split, or that and then the validation split."""
        train = self.split("train")
        if train_on == "train":
            return train
        validation = self.split("validation")
        return Split(
            np.concatenate([train.images, validation.images]), np.concatenate([train.labels, validation.labels])
        )


def load_dataset(folder: Path) -> Dataset:
    """Return the dataset that preprocess wrote to `folder`, once its arrays have the fingerprint that it claims.

    Reads all of it, every time: 30 ms for MNIST.

    Raises:
        TandemError: it is missing, damaged or changed.
    """
    repair, file = "run `dvc repro --force preprocess`", folder / "dataset.json"
    try:
        info = read_json(file)
        dataset = Dataset(
            folder=folder,
            name=info["name"],
            fingerprint=info["fingerprint"],
            image_shape=(info["image_shape"][0], info["image_shape"][1]),
            classes=info["classes"],
            statistics={name: Statistics(**values) for name, values in info["statistics"].items()},
        )
        arrays = {}
        for file in folder.glob("*.npy"):
            arrays[file.stem] = np.load(file, mmap_mode="r")
    except FileNotFoundError:
        raise TandemError(f"{folder}: no prepared dataset", advice="run `dvc repro preprocess`") from None
    except (ValueError, TypeError, LookupError, AttributeError, EOFError) as error:
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"
        problem = f"{file}: expected what preprocess wrote; got a damaged file, {what}"
        raise TandemError(problem, advice=repair) from None
    if (actual := digest(arrays)) != dataset.fingerprint:
        expected = f"{folder}: expected arrays of fingerprint {dataset.fingerprint[:12]}, as dataset.json says"
        raise TandemError(f"{expected}; got {actual[:12]}", advice=repair)
    return dataset


def batch_order(images: int, *, seed: int, epoch: int, batch_size: int, drop_last: bool) -> npt.NDArray[np.int64]:
    """Return the order in which an epoch (counted from 1) takes the images: int64, of shape (images,).

    Batches are consecutive runs of `batch_size`; the last may be shorter, and `drop_last` leaves it out. The
    order depends on the seed and the epoch alone, so that both runs of a pair, and a resumed training, see the
    same batches.
    """
    order = np.random.default_rng(stream(seed, "batch order", epoch)).permutation(images)
    return order[: images // batch_size * batch_size] if drop_last else order
