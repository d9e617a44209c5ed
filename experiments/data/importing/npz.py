"""An .npz of images and labels, read a block at a time: NumPy itself would read each array as a whole."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Images
from experiments.data.fitting import as_labels, check_counts, check_shape
from experiments.data.importing.found import Found, Part, per_block
from experiments.system.console import say
from experiments.system.errors import TandemError

# Images and labels to train, and to test, as Keras's data sets and MedMNIST call them.
PAIRS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("images", "labels"), ("x", "y")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class Array:
    """An array in an .npz, as its header has it."""

    source: Path
    name: str
    shape: tuple[int, ...]
    columns_first: bool
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        """Return what an error calls it."""
        return f"{self.source}: {self.name}"


def read_npz(source: Path) -> Found:
    """Read the labels and the headers of an .npz.

    Raises:
        TandemError: it lacks images or labels, or they aren't of a kind that is supported.
    """
    with _opened(source) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
    found = {part: next((pair for pair in pairs if {*pair} <= {*names}), None) for part, pairs in PAIRS.items()}
    if found["train"] is None:
        expected = " or ".join(", ".join(pair) for pair in PAIRS["train"])
        got = ", ".join(names)[:120] or "none"
        raise TandemError(f"{source}: expected arrays {expected} (and of the test set, x_test, y_test); got {got}")
    used = [name for pair in found.values() if pair for name in pair]
    if others := [name for name in names if name not in used]:
        say(f"{source}: left out: {', '.join(others)[:120]}")
    return Found(_part(source, *found["train"]), _part(source, *found["test"]) if found["test"] else None)


def _part(source: Path, images_name: str, labels_name: str) -> Part:
    images, labels = _header(source, images_name), _header(source, labels_name)
    dtype = images.dtype.newbyteorder("=")
    count, *shape = check_shape(images, images.shape, dtype)
    known = as_labels(labels, next(_blocks(labels, max(1, labels.shape[0] if labels.shape else 1))))
    check_counts(source, count, len(known))
    height, width, channels = shape
    step = per_block(math.prod(shape) * dtype.itemsize)

    def blocks() -> Iterator[Images]:
        for block in _blocks(images, step):
            yield block.reshape(len(block), *shape).astype(dtype, copy=False)

    return Part((height, width, channels), dtype, known, blocks)


def _header(source: Path, name: str) -> Array:
    with _opened(source) as archive, archive.open(f"{name}.npy") as file:
        array, start = _read_header(source, name, file)
        size = archive.getinfo(f"{name}.npy").file_size
        expected = start + math.prod(array.shape) * array.dtype.itemsize
    if size != expected:
        raise TandemError(f"{array}: expected {expected} bytes for shape {array.shape}; got {size}; write it anew")
    return array


def _read_header(source: Path, name: str, file: IO[bytes]) -> tuple[Array, int]:
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise TandemError(f"{source}: {name}: expected an array of numbers; got a header of version {version}")
    shape, columns_first, dtype = HEADERS[version](file)
    if dtype.hasobject:
        raise TandemError(f"{source}: {name}: expected an array of numbers; got Python objects, which aren't loaded")
    return Array(source, name, shape, columns_first, dtype), file.tell()


def _blocks(array: Array, step: int) -> Iterator[npt.NDArray[Any]]:
    """Yield `step` rows of an array at a time; all at once where its columns come first."""
    with _opened(array.source) as archive, archive.open(f"{array.name}.npy") as file:
        _read_header(array.source, array.name, file)
        if array.columns_first or not array.shape:
            yield np.frombuffer(file.read(), array.dtype).reshape(array.shape[::-1]).T
            return
        rows, *shape = array.shape
        for start in range(0, max(rows, 1), step):
            count = min(step, rows - start)
            content = file.read(count * math.prod(shape) * array.dtype.itemsize)
            yield np.frombuffer(content, array.dtype).reshape(count, *shape)


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        what = " ".join(str(error).split())[:120]
        raise TandemError(f"{source}: expected an .npz that NumPy reads; got: {what}; write it anew") from None
