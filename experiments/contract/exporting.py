"""How a framework writes its models for others; what `models_*/backend/exporting.py` implements."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from experiments.contract.model import ModelT


class Exporting(Protocol[ModelT]):
    """The formats that a framework writes.

    Whatever the format, a model takes raw pixels (n, height, width, channels) of the dataset's type, any number of
    images, and returns logits, float32 (n, classes).
    """

    WRITERS: Mapping[str, Callable[[ModelT, Path], None]]
    """By the name of its format, what writes a model into a new file, or a new folder where the format is one.

    Raises:
        TandemError: the format can't hold such a model.
        Exception: the converter's own, of many kinds.
    """
