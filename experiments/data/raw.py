"""The raw dataset, four IDX files under MNIST's names: read, and checked against each other."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.dataset import Labels, Split
from experiments.data.idx import read_idx
from experiments.system.errors import TandemError

# An optional file beside the four that holds the name of the dataset.
NAME_FILE = "name.txt"


@dataclass(frozen=True)
class RawDataset:
    """The images and labels as they were published, of classes 0 to `classes` - 1.

    `class_names` are in that order; None where the source names none.
    """

    name: str
    classes: int
    class_names: tuple[str, ...] | None
    train: Split
    test: Split


def read_raw(folder: Path) -> RawDataset:
    """Read the dataset in a folder.

    Raises:
        TandemError: a file is missing or damaged, or the files don't fit each other.
    """
    train, test = _read(folder, "train"), _read(folder, "t10k")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise TandemError(
            f"{folder}: expected images of one size; "
            f"got {train.images.shape[1:-1]} to train and {test.images.shape[1:-1]} to test"
        )
    return RawDataset(_name(folder), _classes(folder, train.labels, test.labels), None, train, test)


def _read(folder: Path, prefix: str) -> Split:
    images = read_idx(_path(folder, f"{prefix}-images-idx3-ubyte"), 3)
    labels = read_idx(_path(folder, f"{prefix}-labels-idx1-ubyte"), 1)
    if len(images) != len(labels) or not images.size:
        raise TandemError(
            f"{folder}: {prefix}: expected as many labels as images, and some; got {len(labels)} and {len(images)}"
        )
    return Split(images[..., np.newaxis], labels.astype(np.uint16))


def _path(folder: Path, name: str) -> Path:
    paths = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
    if len(paths) == 1:
        return paths[0]
    raise TandemError(
        f"{folder}: expected the IDX file {name} or {name}.gz; got {'both' if paths else 'neither'}; for MNIST, run "
        "`dvc repro --force download` and `dvc repro`; for your own data, see README.md"
    )


def _name(folder: Path) -> str:
    path = folder / NAME_FILE
    name = path.read_text(errors="replace").strip() if path.is_file() else "own"
    if not re.fullmatch(r"[\w.-]+", name):
        raise TandemError(f"{path}: expected a name of letters, digits, '.', '-' and '_'; got {name[:40]!r}")
    return name


def _classes(folder: Path, train: Labels, test: Labels) -> int:
    present = np.unique(train)
    classes = int(present[-1]) + 1
    if classes < 2 or len(present) < classes:
        raise TandemError(f"{folder}: expected training labels 0, 1, 2, … without a gap; got {present.tolist()}")
    if test.max() >= classes:
        raise TandemError(f"{folder}: expected test labels below {classes}, as in training; got {test.max()}")
    return classes
