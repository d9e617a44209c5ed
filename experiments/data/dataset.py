"""The prepared dataset as arrays, and the order in which a training sees the images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from experiments.data.randomness import stream
from experiments.system.errors import TandemError
from experiments.system.files import digest, read_json

Images = npt.NDArray[np.uint8 | np.uint16]
Labels = npt.NDArray[np.uint16]
PixelType = Literal["uint8", "uint16"]
PIXEL_TYPES: tuple[PixelType, ...] = get_args(PixelType)
# The file beside the arrays that says what they are.
DESCRIPTION = "dataset.json"
# Height, width, and channels: 1 for grey, 3 for colour.
ImageShape = tuple[int, int, int]
SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
TrainOn = Literal["train", "train+validation"]


@dataclass(frozen=True)
class Split:
    """Images, uint8 or uint16 of shape (n, height, width, channels), and labels, uint16 of shape (n,)."""

    images: Images
    labels: Labels


def largest_pixel(pixel_type: npt.DTypeLike) -> int:
    """Return what white is: 255 or 65,535."""
    return int(np.iinfo(np.dtype(pixel_type)).max)


def to_bytes(images: Images) -> npt.NDArray[np.uint8]:
    """Return images, or one, with 8 bits a pixel, for pictures that are looked at."""
    return (images >> 8).astype(np.uint8) if images.dtype == np.uint16 else images.astype(np.uint8, copy=False)


# MNIST's images, for what is built without a dataset.
IMAGE_SHAPE: ImageShape = (28, 28, 1)


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of the pixels, scaled to 0..1; in colour, of each channel."""

    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]


@dataclass(frozen=True)
class Dataset:
    """A dataset that preprocess wrote to `folder`; the fingerprint is a digest of its arrays.

    `class_names` are in the order of the labels; None where the classes have none but their numbers. Of the images to
    train on, the first `kept` are the training split, the others the validation split.
    """

    folder: Path
    name: str
    fingerprint: str
    image_shape: ImageShape
    classes: int
    statistics: Mapping[str, Statistics]
    class_names: tuple[str, ...] | None = None
    pixel_type: PixelType = "uint8"
    kept: int = 0

    def split(self, name: SplitName) -> Split:
        """Return one split; the images are memory-mapped, read-only."""
        if name == "test":
            return self._load("test")
        both = self._load("training")
        part = slice(self.kept) if name == "train" else slice(self.kept, None)
        return Split(both.images[part], both.labels[part])

    def training_split(self, train_on: TrainOn) -> Split:
        """Return the images that a recipe trains on: the training split, or that and then the validation split."""
        return self.split("train") if train_on == "train" else self._load("training")

    def _load(self, name: str) -> Split:
        images = np.load(self.folder / f"{name}_images.npy", mmap_mode="r")
        return Split(images, np.load(self.folder / f"{name}_labels.npy"))


def load_dataset(folder: Path) -> Dataset:
    """Return the dataset that preprocess wrote to `folder`, once its arrays have the fingerprint that it claims.

    Reads all of it, every time: 30 ms for MNIST.

    Raises:
        TandemError: it is missing, damaged or changed.
    """
    repair, file = "run `dvc repro --force preprocess`", folder / DESCRIPTION
    try:
        info = read_json(file)
        if len(info["image_shape"]) != len(IMAGE_SHAPE):
            expected = "expected an image_shape of height, width and channels"
            raise TandemError(f"{file}: {expected}; got {info['image_shape']}, of an earlier Tandem", advice=repair)
        dataset = _described(info, folder)
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


def described(folder: Path) -> Dataset | None:
    """Return what a prepared dataset's description says, without a look at its arrays; None where there is none."""
    try:
        dataset = _described(read_json(folder / DESCRIPTION), folder)
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
    return dataset if len(dataset.image_shape) == len(IMAGE_SHAPE) else None


def _described(info: Mapping[str, Any], folder: Path) -> Dataset:
    return Dataset(
        folder=folder,
        name=info["name"],
        fingerprint=info["fingerprint"],
        image_shape=tuple(info["image_shape"]),
        classes=info["classes"],
        statistics={
            name: Statistics(**{key: tuple(value) if isinstance(value, list) else value for key, value in pair.items()})
            for name, pair in info["statistics"].items()
        },
        class_names=tuple(info["class_names"]) if info["class_names"] else None,
        pixel_type=info["pixel_type"],
        kept=info["images"]["train"],
    )


def batch_order(images: int, *, seed: int, epoch: int, batch_size: int, drop_last: bool) -> npt.NDArray[np.int64]:
    """Return the order in which an epoch (counted from 1) takes the images: int64, of shape (images,).

    Batches are consecutive runs of `batch_size`; the last may be shorter, and `drop_last` leaves it out. The
    order depends on the seed and the epoch alone, so that both runs of a pair, and a resumed training, see the
    same batches.
    """
    order = np.random.default_rng(stream(seed, "batch order", epoch)).permutation(images)
    return order[: images // batch_size * batch_size] if drop_last else order
