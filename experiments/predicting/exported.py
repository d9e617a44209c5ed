"""A model in an exported file: neither a clone nor MLflow is needed."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experiments.export.formats import RECORD, model_in
from experiments.export.reading import Taken, describe, logits_of
from experiments.predicting.choice import Choice, Takes
from experiments.system.console import warn
from experiments.system.urls import one_line

Size = Annotated[int, Field(gt=0)]


class Images(BaseModel):
    """What export.json says of the images that a model takes."""

    model_config = ConfigDict(strict=True)
    shape: tuple[Literal["n"], Size, Size, Literal[1, 3]]
    dtype: Literal["uint8", "uint16"]


class Record(BaseModel):
    """What is read of an export.json."""

    model_config = ConfigDict(strict=True)
    file: str
    takes: Images
    classes: tuple[str, ...] | None
    mean: float | tuple[float, ...]


def of_file(path: Path) -> Choice:
    """Return the model in an exported file, or in the folder of an export.

    It isn't loaded yet, unless there is no export.json beside it to say what it takes.

    Raises:
        TandemError: it is none, or none of images.
    """
    kind, model = model_in(path)
    record = _record_of(model)
    if record is None:
        taken, names, mean = describe(model), None, None
    else:
        taken = Taken(record.takes.shape[1:], np.dtype(record.takes.dtype))
        names, mean = record.classes, tuple(np.atleast_1d(record.mean).tolist())
    takes = Takes(taken.image_shape, taken.dtype, mean)
    return Choice(str(path), f"exported as {kind.name}", takes, names, partial(logits_of, model))


def _record_of(model: Path) -> Record | None:
    """Return what an export says of its file; None where there is no record of this file, or a damaged one."""
    path = model.parent / RECORD
    try:
        content = json.loads(path.read_text())
        if isinstance(content, dict) and content.get("file", model.name) != model.name:
            return None
        # As JSON, which has lists alone: a tuple is one there.
        return Record.model_validate_json(json.dumps(content))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        warn(
            f"{path}: expected what `tandem export` writes beside {model.name}; got {_instead(error)}; classes are "
            "numbers without it: export again, or remove it"
        )
        return None


def _instead(error: OSError | ValueError) -> str:
    if not isinstance(error, ValidationError):
        return one_line(error, 100)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'another content'}: {first['msg']}"
