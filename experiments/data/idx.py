"""The IDX format of the MNIST files.

Source of the format: the description at the foot of http://yann.lecun.com/exdb/mnist/ — two zero bytes, a byte for
the type (0x08: unsigned byte), a byte for the number of dimensions, each dimension as a big-endian 32-bit integer,
then the values, the last dimension varying fastest.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from experiments.system.errors import TandemError

UNSIGNED_BYTE = 0x08
INTEGERS = (0x08, 0x09, 0x0B, 0x0C)
# Of each type, its NumPy type and its name.
TYPES = {
    0x08: (">u1", "unsigned bytes"),
    0x09: (">i1", "signed bytes"),
    0x0B: (">i2", "16-bit integers"),
    0x0C: (">i4", "32-bit integers"),
    0x0D: (">f4", "32-bit floats"),
    0x0E: (">f8", "64-bit floats"),
}
MOST_PACKED = 1100  # deflate packs 1,032 bytes into one at most


def read_idx(path: Path, *dimensions: int, types: Collection[int] = (UNSIGNED_BYTE,)) -> npt.NDArray[Any]:
    """Return the array in an IDX file, gzipped if its name ends in .gz, of as many axes as one of `dimensions`.

    A file that isn't packed is memory-mapped, read-only. Nothing is read or allocated on the word of a header alone.

    Raises:
        TandemError: the type or the number of axes is another, or the content has another length than the header.
    """
    packed = path.suffix == ".gz"
    try:
        with cast(BinaryIO, gzip.open(path)) if packed else path.open("rb") as file:
            kind, shape = _header(path, file, dimensions, types)
            dtype, start = np.dtype(TYPES[kind][0]), 4 + 4 * len(shape)
            size = math.prod(shape) * dtype.itemsize
            if packed:
                content = file.read(size + 1) if size < MOST_PACKED * path.stat().st_size else b""
                _check_size(path, shape, size, len(content))
                return np.frombuffer(content, dtype).reshape(shape)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TandemError(f"{path}: expected gzip; {error}; replace the file") from None
    _check_size(path, shape, size, path.stat().st_size - start)
    return np.memmap(path, dtype, "r", start, shape) if size else np.empty(shape, dtype)


def _header(
    path: Path, file: BinaryIO, dimensions: Collection[int], types: Collection[int]
) -> tuple[int, tuple[int, ...]]:
    """Return the type and the shape in the header."""
    expected = f"{_either(TYPES[kind][1] for kind in types)} in {_either(map(str, dimensions))} dimensions"
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        got = f"a file that begins with {magic.hex()}" if magic else "an empty file"
        raise TandemError(f"{path}: expected an IDX file of {expected}; got {got}; replace the file")
    kind, count = magic[2:]
    if kind not in types or count not in dimensions:
        raise TandemError(
            f"{path}: expected {expected}; got {TYPES[kind][1]} in {count}; `tandem import` reads others from PNG, "
            "JPEG and .npz"
        )
    sizes = file.read(4 * count)
    if len(sizes) < 4 * count:
        raise TandemError(f"{path}: expected an IDX header of {4 + 4 * count} bytes; got fewer; replace the file")
    return kind, struct.unpack(f">{count}I", sizes)


def _either(words: Any) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else str(last)


def _check_size(path: Path, shape: tuple[int, ...], expected: int, got: int) -> None:
    if got != expected:
        more = "more" if got > expected else "fewer"
        raise TandemError(f"{path}: expected {expected} bytes for shape {shape}; got {more}; replace the file")


def to_idx(array: npt.NDArray[np.uint8]) -> bytes:
    """Return the bytes of an IDX file that holds `array` (uint8, any shape)."""
    header = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()
