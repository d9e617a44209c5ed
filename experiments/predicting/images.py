"""The images that a command names: PNG and JPEG files, and IDX and .npy files, which hold many."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np

from experiments.data.dataset import Images
from experiments.data.idx import TYPES, read_idx
from experiments.data.importing.picture import look_at
from experiments.data.raw import load_array
from experiments.predicting.arrays import Array, as_batch
from experiments.predicting.choice import Takes
from experiments.predicting.pictures import looks_negative, read_picture
from experiments.system.console import say
from experiments.system.errors import TandemError

# So many images of a file are taken where --index doesn't say which.
FIRST = 10
EXPECTED = "expected a PNG, JPEG, IDX or .npy file of images"


@dataclass(frozen=True)
class File:
    """A file that may hold images, by its first bytes."""

    path: Path
    kind: Literal["picture", "IDX", "npy"]


@dataclass(frozen=True)
class Given:
    """Images as a model takes them, of shape (n, height, width, channels), and what each is called."""

    names: tuple[str, ...]
    pixels: Images


def look_at_files(paths: Sequence[Path]) -> list[File]:
    """Return what kind of file each is.

    Raises:
        TandemError: there are none, or one is missing, empty, a folder, of labels, or no image.
    """
    if not paths:
        raise TandemError(f"IMAGE: {EXPECTED}, or several; got none; name one, such as data/t10k-images-idx3-ubyte")
    return [File(path, _kind(path)) for path in paths]


def _kind(path: Path) -> Literal["picture", "IDX", "npy"]:
    if path.is_dir():
        raise TandemError(f"{path}: {EXPECTED}; got a folder; name the files in it, such as {path}/*.png")
    if not path.is_file():
        got = "something else" if path.exists() else "no file of that name"
        raise TandemError(f"{path}: {EXPECTED}; got {got}; correct the name")
    start = _start(path)
    if not start:
        raise TandemError(f"{path}: {EXPECTED}; got an empty file; replace it")
    if start[:2] == b"\0\0" and start[2] in TYPES:
        if start[3] == 1:
            raise TandemError(f"{path}: {EXPECTED}; got an IDX file in one dimension, as labels are; name the images")
        return "IDX"
    if start == np.lib.format.MAGIC_PREFIX[:4]:
        return "npy"
    if path.suffix == ".gz":
        raise TandemError(f"{path}: {EXPECTED}; got a .gz of something else than IDX; unpack it")
    look_at(path)
    return "picture"


def _start(path: Path) -> bytes:
    """Return the first 4 bytes, unpacked."""
    try:
        with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(4).ljust(4, b"-") if path.stat().st_size else b""
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TandemError(f"{path}: expected gzip, as its name says; {error}; replace the file") from None


def read_images(files: Sequence[File], takes: Takes, index: Sequence[int] | None) -> Given:
    """Return the images that are in files; `index` says which, of those that hold many.

    Raises:
        TandemError: a file is damaged, or its images aren't as the model takes them, or it has fewer.
    """
    found = list(_each(files, takes, index))
    return Given(tuple(name for name, _ in found), np.stack([pixels for _, pixels in found]))


def _each(files: Sequence[File], takes: Takes, index: Sequence[int] | None) -> Iterator[tuple[str, Images]]:
    if index is not None and all(file.kind == "picture" for file in files):
        raise TandemError("--index: expected an IDX or .npy file to take images from; got pictures alone; leave it out")
    for file in files:
        if file.kind == "picture":
            pixels = read_picture(file.path, takes)
            if looks_negative(pixels, takes):
                say(f"{file.path}: its border is bright, and the training images are mostly dark: is it a negative?")
            yield str(file.path), pixels
        else:
            images = _array(file, takes)
            yield from ((f"{file.path}[{number}]", images[number]) for number in _chosen(file.path, len(images), index))


def _array(file: File, takes: Takes) -> Array:
    images = read_idx(file.path, 3, 4) if file.kind == "IDX" else load_array(file.path)
    if images.dtype == np.uint8 and takes.bits == 16:
        raise TandemError(f"{file.path}: expected 16-bit pixels, uint16, as the model takes; got uint8; name others")
    advice = "name images of that size, or a model that takes these"
    return as_batch(images, takes.shape, takes.dtype, file.path, advice)[0]


def _chosen(path: Path, count: int, index: Sequence[int] | None) -> Sequence[int]:
    """Return the numbers of the images that are taken of a file of `count`."""
    if index is None:
        if count > FIRST:
            last = min(count, 2 * FIRST) - 1
            say(f"{path}: the first {FIRST} of {count:,} images; others with --index, such as --index {FIRST}-{last}")
        return range(min(count, FIRST))
    if max(index) >= count:
        expected = f"--index: expected numbers from 0 to {count - 1}, since {path} has {count:,} images"
        raise TandemError(f"{expected}; got {max(index)}; leave it out")
    return index


def parse_index(text: str) -> list[int]:
    """Return the numbers that a text such as `0-9,17` means.

    Raises:
        TandemError: it isn't of that form.
    """
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise TandemError(
                f"--index: expected numbers and ranges from 0 on, such as 0-9,17; got {text!r}; correct it"
            )
        numbers += range(first, last + 1)
    return numbers
