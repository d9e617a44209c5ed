"""Any two runs side by side: settings that differ, metrics, and the test images that they answer differently."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from experiments.reports.measured import Measured
from experiments.reports.pairs import mcnemar
from experiments.training.outputs import Answers

# Not every version has recorded these: that only one run has them says nothing.
NOT_ALWAYS = ("log_every_steps", "platform", "cpu", "version.python", "version.numpy", "version.scipy")


def compare_two(first: Measured, second: Measured) -> dict[str, Any]:
    """Return what differs between two runs, and what they have brought."""
    return {
        "runs": [{"label": run.label, "where": run.where, "mlflow_run_id": run.run_id} for run in (first, second)],
        "settings": list(_settings(first.settings, second.settings)),
        "metrics": list(_metrics(first.metrics, second.metrics)),
        "images": _images(first, second),
    }


def _settings(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[dict[str, str | None]]:
    for name in dict.fromkeys([*first, *second]):
        here, there = first.get(name), second.get(name)
        if here != there and not (name in NOT_ALWAYS and None in (here, there)):
            yield {"setting": name, "first": here, "second": there}


def _metrics(first: Mapping[str, float], second: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys([*first, *second]):
        here, there = first.get(name), second.get(name)
        difference = None if here is None or there is None else there - here
        yield {"metric": name, "first": here, "second": there, "difference": difference}


def _images(first: Measured, second: Measured) -> dict[str, Any]:
    """Return which images of the test set are answered differently, or why that can't be said."""
    for run in (first, second):
        if run.answers is None:
            return {"not_compared": f"{run.where} keeps no answers to the test images"}
    here, there = first.answers, second.answers
    assert here is not None and there is not None  # noqa: S101, PT018 - as was asked above
    data = {run.settings.get("dataset_fingerprint") for run in (first, second)}
    if len(data) > 1 or not np.array_equal(here.actual, there.actual):
        return {"not_compared": "the two were scored on different data"}
    apart = np.flatnonzero(here.predicted != there.predicted)
    counts = {"images": len(here.actual), "told_differently": len(apart), **mcnemar(here, there)}
    return counts | {"differently": [_image(here, there, int(index)) for index in apart]}


def _image(here: Answers, there: Answers, index: int) -> dict[str, Any]:
    return {
        "image": index,
        "label": int(here.actual[index]),
        "first": int(here.predicted[index]),
        "first_probability": float(here.probability[index]),
        "second": int(there.predicted[index]),
        "second_probability": float(there.probability[index]),
    }
