"""Predictions of a model file, by its program, in a fresh process where Tandem's sources can't be imported."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.contract.model import Logits
from experiments.data.dataset import IMAGE_SHAPE, PIXEL_TYPES
from experiments.export import alone
from experiments.export.formats import Format, format_of, model_in
from experiments.system.errors import TandemError
from experiments.system.files import scratch_folder

__all__ = ["Format", "Taken", "describe", "format_of", "logits_of"]


@dataclass(frozen=True)
class Taken:
    """What a model takes: images of this shape, (height, width, channels), with pixels of this type."""

    image_shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]


def describe(path: Path) -> Taken:
    """Return what a model takes, given its file or the folder of its export.

    Raises:
        TandemError: it is no model, or none of images, or it can't be loaded: it is damaged, or a package is missing.
    """
    kind, model = model_in(path)
    said = json.loads(_run(kind, model).splitlines()[-1])
    shape, dtype = said["image_shape"], said["dtype"]
    if len(shape) != len(IMAGE_SHAPE) or shape[2] not in (1, 3) or dtype not in PIXEL_TYPES:
        raise TandemError(
            f"{model}: expected a model of raw pixels, {' or '.join(PIXEL_TYPES)} of shape (n, height, width, 1 or 3); "
            f"got one of {dtype}, (n, {', '.join(map(str, shape))}); of a run's own model, name the run"
        )
    return Taken((shape[0], shape[1], shape[2]), np.dtype(dtype))


def logits_of(path: Path, images: npt.NDArray[np.generic], work: Path | None = None) -> Logits:
    """Return the logits, float32 (n, classes), of raw images (n, height, width, channels), at least one.

    Both are files for that time, in the folder `work` or in the system's temporary one.

    Raises:
        TandemError: as `describe`; or the images aren't what the model takes.
    """
    kind, model = model_in(path)
    with scratch_folder("tandem-predict-", work) as folder:
        asked, answered = folder / "images.npy", folder / "logits.npy"
        np.save(asked, images)
        _run(kind, model, asked, answered)
        logits: Logits = np.load(answered)
        return logits


def _run(kind: Format, model: Path, *files: Path) -> str:
    """Run the program of a format, and return what it prints."""
    # -P: nor are the sources in the working directory, or beside the program.
    command = [sys.executable, "-P", alone.__file__, *map(str, (kind.program, model, *files))]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode < 0:  # ended by a signal, such as a native library's at a file that makes no sense
        got = f"signal {-done.returncode} while it was read"
        raise TandemError(f"{model}: expected a model that {kind.program.name} runs; got {got}; export it again")
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        advice = f"it takes {', '.join(kind.readers)}" if "ModuleNotFoundError" in said[-1] else "export it again"
        raise TandemError(f"{model}: expected a model that {kind.program.name} runs; got {said[-1]}", advice=advice)
    return done.stdout
