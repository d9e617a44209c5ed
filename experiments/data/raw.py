"""The raw dataset: four IDX files under MNIST's names, or the four .npy files that `tandem import` writes; checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.data import fitting
from experiments.data.dataset import Split
from experiments.data.idx import INTEGERS, read_idx
from experiments.system.errors import TandemError

# Optional files beside the four: the name of the dataset, and those of its classes, one a line.
NAME_FILE, CLASSES_FILE = "name.txt", "classes.txt"
IDX = {"train": "train-{}-idx{}-ubyte", "test": "t10k-{}-idx{}-ubyte"}
PARTS = ("train", "test")
HINT = (
    "for MNIST, run `dvc repro --force download` and `dvc repro`; for your own data, `tandem import` (docs/your-own.md)"
)


@dataclass(frozen=True)
class RawDataset:
    """The images and labels as they were published, of classes 0 to `classes` - 1; images may be memory-mapped.

    `class_names` are in that order; None where the source names none.
    """

    name: str
    classes: int
    class_names: tuple[str, ...] | None
    train: Split
    test: Split


def read_raw(folder: Path, shown: Path | None = None) -> RawDataset:
    """Read the dataset in a folder; `shown` is what an error calls it, in place of the folder.

    Raises:
        TandemError: a file is missing or damaged, the files don't fit each other, or something isn't supported.
    """
    where = shown or folder
    arrays = _npy_files(folder) or {part: _idx_files(folder, part) for part in PARTS}
    train, test = (_split(where, part, *arrays[part]) for part in PARTS)
    one, other = ((split.images.shape[1:], split.images.dtype) for split in (train, test))
    if one != other:
        raise TandemError(
            f"{where}: expected images of one size and type; got {_shown(train.images)} to train and "
            f"{_shown(test.images)} to test"
        )
    fitting.check_pixels(where, train.images)
    classes = fitting.count_classes(where, train.labels, test.labels)
    return RawDataset(_name(folder), classes, _class_names(folder, classes), train, test)


def _split(where: Path, part: str, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Split:
    shape = fitting.check_shape(f"{where}: {part} images", images.shape, images.dtype)
    known = fitting.as_labels(f"{where}: {part} labels", labels)
    fitting.check_counts(f"{where}: {part}", len(images), len(known))
    return Split(images.reshape(shape), known)


def _shown(images: npt.NDArray[Any]) -> str:
    return f"{'×'.join(map(str, images.shape[1:]))} {images.dtype}"


def _npy_files(folder: Path) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Return images and labels of each part from .npy files; nothing where the folder has none of them."""
    names = {part: [f"{part}_{what}.npy" for what in ("images", "labels")] for part in PARTS}
    there = [name for pair in names.values() for name in pair if (folder / name).exists()]
    if not there:
        return {}
    if idx := next(folder.glob("*-idx?-ubyte*"), None):
        raise TandemError(f"{folder}: expected IDX files or .npy files; got both: {idx.name} and {there[0]}; {HINT}")
    if missing := {name for pair in names.values() for name in pair} - {*there}:
        raise TandemError(f"{folder}: expected {', '.join(sorted(missing))} beside {there[0]}; got none; {HINT}")
    return {part: (load_array(folder / pair[0]), load_array(folder / pair[1])) for part, pair in names.items()}


def load_array(file: Path) -> npt.NDArray[Any]:
    """Return the array in an .npy file, memory-mapped.

    Raises:
        TandemError: it has none, or one of Python objects.
    """
    try:
        array: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, OverflowError, SyntaxError) as error:
        what = " ".join(str(error).split())[:120]
        raise TandemError(
            f"{file}: expected an array that numpy.load reads; got a file that it refuses: {what}"
        ) from None
    return array


def _idx_files(folder: Path, part: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    images = read_idx(_path(folder, IDX[part].format("images", 3)), 3, 4)
    return images, read_idx(_path(folder, IDX[part].format("labels", 1)), 1, types=INTEGERS)


def _path(folder: Path, name: str) -> Path:
    paths = [path for path in (folder / name, folder / f"{name}.gz") if path.exists()]
    if len(paths) == 1 and paths[0].is_file():
        return paths[0]
    got = "both" if len(paths) == 2 else "a folder of that name" if paths else "neither"
    raise TandemError(f"{folder}: expected the IDX file {name} or {name}.gz; got {got}; {HINT}")


def _name(folder: Path) -> str:
    return (
        fitting.check_name(folder / NAME_FILE, _text(folder / NAME_FILE).strip())
        if (folder / NAME_FILE).exists()
        else "own"
    )


def _class_names(folder: Path, classes: int) -> tuple[str, ...] | None:
    file = folder / CLASSES_FILE
    return fitting.check_class_names(file, _text(file).splitlines(), classes) if file.exists() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise TandemError(f"{file}: expected text in UTF-8; got other bytes; save it in UTF-8") from None
