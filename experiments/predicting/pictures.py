"""A PNG or JPEG file as a model takes it, or a line that says how to make it so."""

import json
import shlex
from pathlib import Path

import numpy as np

from experiments.data.dataset import Images
from experiments.data.importing.picture import Look, look_at, read
from experiments.predicting.choice import Takes, shown
from experiments.system.errors import TandemError

# Of 0..1: the border of an image is bright, and the training images are dark on average.
BRIGHT, DARK = 0.7, 0.4


def read_picture(path: Path, takes: Takes) -> Images:
    """Return the pixels in a file, of shape (height, width, channels), as the model takes them.

    No information is lost: grey becomes RGB, and RGB becomes grey only where its three channels are the same.

    Raises:
        TandemError: it is no image, or of another size or with other bits than the model takes, or in colour where
            that is grey.
    """
    look, grey = look_at(path), takes.shape[2] == 1
    bits = 16 if look.kind == "16-bit grey" else 8
    if (look.height, look.width) != takes.shape[:2] or bits != takes.bits or (bits == 16 and not grey):
        raise _refusal(path, look, takes)
    pixels = read(path, look.kind if grey else "RGB", None)
    if grey and pixels.shape[2] == 3:
        if (pixels != pixels[..., :1]).any():
            raise _refusal(path, look, takes)
        return pixels[..., :1]
    return pixels


def _refusal(path: Path, look: Look, takes: Takes) -> TandemError:
    problem = f"{path}: expected {takes}, which is what the model takes; got {shown(look)}"
    return TandemError(problem, advice=_remedy(path, look, takes))


def _remedy(path: Path, look: Look, takes: Takes) -> str:
    """Return the command that writes an image as the model takes it."""
    height, width, channels = takes.shape
    if takes.bits == 16:
        return f"give it 16 bits: {'a 16-bit grey PNG, or ' if channels == 1 else ''}an .npy file of uint16"
    steps = ".point(lambda value: value / 256)" if look.kind == "16-bit grey" else ""
    steps += '.convert("L")' if channels == 1 else '.convert("RGB")'
    steps += f".resize(({width}, {height}))" if (look.height, look.width) != (height, width) else ""
    paths = path, path.with_name(f"{path.stem}-{width}x{height}.png")
    source, target = (json.dumps(str(each), ensure_ascii=False) for each in paths)
    return "run python -c " + shlex.quote(f"from PIL import Image; Image.open({source}){steps}.save({target})")


def looks_negative(image: Images, takes: Takes) -> bool:
    """Return whether an image seems to be a negative: its border is bright, and the training images are mostly dark."""
    if takes.mean is None or np.mean(takes.mean) > DARK:
        return False
    border = np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel()])
    return bool(border.mean() > BRIGHT * np.iinfo(image.dtype).max)
