"""The IDX format of the MNIST files.

Source of the format: the description at the foot of http://yann.lecun.com/exdb/mnist/ — two zero bytes, a byte for
the type (0x08: unsigned byte), a byte for the number of dimensions, each dimension as a big-endian 32-bit integer,
then the values, the last dimension varying fastest.
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.system.errors import TandemError

UNSIGNED_BYTE = 0x08


def read_idx(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """Return the array in an IDX file, gzipped if its name ends in .gz; uint8, of `dimensions` axes.

    Raises:
        TandemError: the header is wrong, or the content is longer or shorter than the header says.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TandemError(f"{path}: expected gzip; {error}; replace the file") from None
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]):
        raise TandemError(
            f"{path}: expected an IDX header 0000080{dimensions} (unsigned bytes, {dimensions} dimensions); "
            f"got {content[:4].hex() or 'an empty file'}; replace the file"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise TandemError(f"{path}: expected {expected} bytes for shape {shape}; got {len(content)}; replace the file")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def to_idx(array: npt.NDArray[np.uint8]) -> bytes:
    """Return the bytes of an IDX file that holds `array` (uint8, any shape)."""
    header = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()
