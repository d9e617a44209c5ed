"""One PNG or JPEG file, read by Pillow: what is in it, and its pixels."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from experiments.data.dataset import Images
from experiments.system.errors import TandemError

SUFFIXES = (".png", ".jpg", ".jpeg")
Kind = Literal["8-bit grey", "16-bit grey", "RGB"]
KINDS: dict[str, Kind] = {
    **{"1": "8-bit grey", "L": "8-bit grey", "LA": "8-bit grey", "I;16": "16-bit grey"},
    **{"RGB": "RGB", "RGBA": "RGB", "P": "RGB", "PA": "RGB"},
}
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # EXIF's tag, and its values for pictures that lie on their side


# What Pillow raises, depending on where a file is damaged.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class Look:
    """What a file says of itself: its kind, height and width."""

    kind: Kind
    height: int
    width: int


def shown_size(height: int, width: int) -> str:
    """Return what a message calls the size of a picture: width×height, as is usual, and not that of an array."""
    return f"{width}×{height} pixels{'' if width == height else ' (width×height)'}"


def look_at(path: Path) -> Look:
    """Return what is in a file, without reading its pixels.

    Raises:
        TandemError: it is no image that can be read without losing something.
    """
    with _opened(path) as image:
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise TandemError(f"{path}: expected one image; got an animation of {frames}; save the one that counts")
        if image.mode not in KINDS:
            raise TandemError(
                f"{path}: expected grey or RGB; got {image.mode}; convert it, for example with Pillow's convert('RGB')"
            )
        tiles = image.tile if isinstance(image, ImageFile.ImageFile) else ()
        if KINDS[image.mode] != "16-bit grey" and any(";16" in str(tile.args) for tile in tiles):
            raise TandemError(
                f"{path}: expected 8 bits in colour or with alpha (16 in grey alone); got 16",
                advice="an .npz takes uint16 (to predict, an .npy)",
            )
        width, height = image.size
        if image.getexif().get(ORIENTATION) in TURNED:
            width, height = height, width
        return Look(KINDS[image.mode], height, width)


def read(path: Path, kind: Kind, size: tuple[int, int] | None) -> Images:
    """Return a file's pixels, uint8 or uint16 of shape (height, width, 1 or 3), the way up that its EXIF says.

    Grey becomes RGB where `kind` is. `size`, a height and a width, resizes: bilinear, each pixel from all that it
    covers (without aliasing), the proportions not kept.

    Raises:
        TandemError: the file is damaged, or some of it is transparent.
    """
    with _opened(path) as opened:
        image = ImageOps.exif_transpose(opened)
        may_be_seen_through = "A" in image.mode or "transparency" in image.info
        if may_be_seen_through and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
            raise TandemError(f"{path}: expected no transparent pixel; got some; put it on a background first")
        if kind != "16-bit grey":
            image = image.convert("L" if kind == "8-bit grey" else "RGB")
        if size is not None and image.size != size[::-1]:
            image = image.resize(size[::-1], Image.Resampling.BILINEAR)
        pixels = np.asarray(image)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            yield image
    except UnidentifiedImageError:
        raise TandemError(f"{path}: expected a PNG or JPEG image; got something else; remove or replace it") from None
    except DAMAGED as error:
        what = " ".join(str(error).split())[:120]
        raise TandemError(f"{path}: expected an image that Pillow reads; got: {what}; replace it") from None
