"""Stage `preprocess`: four IDX files → checked, split, counted NumPy arrays."""

import re
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from experiments.data.dataset import SPLITS, Images, Labels, Split, SplitName
from experiments.data.idx import read_idx
from experiments.settings.params import Preprocess
from experiments.stages.download import NAME_FILE
from experiments.system.errors import TandemError
from experiments.system.files import digest, write_json


def preprocess(settings: Preprocess, data: Path, target: Path) -> None:
    """Read the IDX files in `data`, hold out the validation split, and fill the folder `target`.

    `target` gets `{train,validation,test}_{images,labels}.npy`, uint8, and dataset.json.

    Raises:
        TandemError: a file is missing or damaged, or the files do not fit each other.
    """
    train, test = _read(data, "train"), _read(data, "t10k")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise TandemError(
            f"{data}: expected images of one size; "
            f"got {train.images.shape[1:]} to train and {test.images.shape[1:]} to test"
        )
    classes = _classes(data, train.labels, test.labels)
    kept, held_out = _split(train.labels, settings, data)
    name = _name(data)
    splits: dict[SplitName, Split] = {
        "train": Split(train.images[kept], train.labels[kept]),
        "validation": Split(train.images[held_out], train.labels[held_out]),
        "test": test,
    }
    if target.exists():
        shutil.rmtree(target)
    _write(target, name, classes, splits)


def _read(data: Path, prefix: str) -> Split:
    images = read_idx(_find(data, f"{prefix}-images-idx3-ubyte"), 3)
    labels = read_idx(_find(data, f"{prefix}-labels-idx1-ubyte"), 1)
    if len(images) != len(labels) or not len(labels):
        raise TandemError(
            f"{data}: {prefix}: expected as many labels as images, and some; got {len(labels)} and {len(images)}"
        )
    return Split(images, labels)


def _find(data: Path, name: str) -> Path:
    found = [path for path in (data / name, data / f"{name}.gz") if path.is_file()]
    if len(found) == 1:
        return found[0]
    got = "both" if found else "neither"
    raise TandemError(f"{data}: expected the IDX file {name} or {name}.gz; got {got}; see README.md, Your own data")


def _name(data: Path) -> str:
    path = data / NAME_FILE
    name = path.read_text(errors="replace").strip() if path.is_file() else "own"
    if not re.fullmatch(r"[\w.-]+", name):
        raise TandemError(f"{path}: expected a name of letters, digits, '.', '-' and '_'; got {name[:40]!r}")
    return name


def _classes(data: Path, train: Labels, test: Labels) -> int:
    present = np.unique(train)
    classes = int(present[-1]) + 1
    if classes < 2 or len(present) < classes:
        raise TandemError(f"{data}: expected training labels 0, 1, 2, … without a gap; got {present.tolist()}")
    if test.max() >= classes:
        raise TandemError(f"{data}: expected test labels below {classes}, as in training; got {test.max()}")
    return classes


def _split(labels: Labels, settings: Preprocess, data: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the places of the images to train on and of those held out, each in rising order, by class."""
    try:
        kept, held_out = train_test_split(
            np.arange(len(labels)),
            test_size=settings.validation_fraction,
            stratify=labels,
            random_state=settings.seed,
        )
    except ValueError as error:
        raise TandemError(f"{data}: can't split with preprocess.validation_fraction: {error}") from None
    return np.sort(kept), np.sort(held_out)


def _write(target: Path, name: str, classes: int, splits: dict[SplitName, Split]) -> None:
    target.mkdir(parents=True)
    arrays: dict[str, npt.NDArray[np.uint8]] = {}
    for split in SPLITS:
        arrays[f"{split}_images"] = splits[split].images
        arrays[f"{split}_labels"] = splits[split].labels
    for key, array in arrays.items():
        np.save(target / f"{key}.npy", array)
    train, validation = splits["train"].images, splits["validation"].images
    counts = {split: np.bincount(splits[split].labels, minlength=classes).tolist() for split in SPLITS}
    write_json(
        target / "dataset.json",
        {
            "name": name,
            "fingerprint": digest(arrays),
            "image_shape": list(train.shape[1:]),
            "classes": classes,
            "images": {split: len(splits[split].labels) for split in SPLITS},
            "images_per_class": counts,
            # Never of images that are held out from the training that uses them.
            "statistics": {
                "train": _statistics(train),
                "train+validation": _statistics(np.concatenate([train, validation])),
            },
        },
    )


def _statistics(images: Images) -> dict[str, float]:
    """Return mean and standard deviation of the pixels, scaled to 0..1; exact, from the counts of the 256 values."""
    counts = np.bincount(images.reshape(-1), minlength=256) / images.size
    values = np.arange(256) / 255
    mean = float(counts @ values)
    return {"mean": mean, "std": float(np.sqrt(counts @ (values - mean) ** 2))}
