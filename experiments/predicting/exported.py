"""A model in an exported file: neither a clone nor MLflow is needed."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.export.formats import RECORD, model_in
from experiments.export.reading import Taken, describe, logits_of
from experiments.predicting.choice import Choice, Takes
from experiments.system.files import read_json


def of_file(path: Path) -> Choice:
    """Return the model in an exported file, or in the folder of an export.

    It isn't loaded yet, unless there is no export.json beside it to say what it takes.

    Raises:
        TandemError: it is none, or none of images.
    """
    kind, model = model_in(path)
    record = _record_of(model)
    try:
        _, *shape = record["takes"]["shape"]
        taken = Taken((shape[0], shape[1], shape[2]), np.dtype(record["takes"]["dtype"]))
        names, mean = record["classes"], tuple(np.atleast_1d(record["mean"]).tolist())
    except (LookupError, TypeError, ValueError):  # none, or one of an older version
        taken, names, mean = describe(model), None, None
    takes = Takes(taken.image_shape, taken.dtype, mean)
    return Choice(str(path), f"exported as {kind.name}", takes, names and tuple(names), partial(logits_of, model))


def _record_of(model: Path) -> Mapping[str, Any]:
    """Return what an export says of its file; nothing where there is no record of this file."""
    try:
        record = read_json(model.parent / RECORD)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("file") == model.name else {}
