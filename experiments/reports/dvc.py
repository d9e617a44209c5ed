"""What DVC's own screens show of the pairs: metrics.json and curves.csv in reports/."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments.settings.project import RunKey
from experiments.system.files import write_atomically, write_json
from experiments.training.outputs import Outputs

COLUMNS = ("dataset", "recipe", "seed", "backend", "split", "epoch", "loss", "error_percent")
SPLITS = ("train", "val", "test")
ACCURACIES = {"accuracy": "test/accuracy", "val_accuracy": "val/accuracy"}


def write_for_dvc(
    folder: Path, dataset: str, runs: Mapping[RunKey, Outputs], pairs: Sequence[Mapping[str, Any]]
) -> None:
    """Write both files, given all runs and, for those of each recipe and seed, the entry of compare.json."""
    write_json(folder / "metrics.json", pair_metrics(runs, pairs))
    write_atomically(folder / "curves.csv", curves_csv(dataset, runs))


def pair_metrics(runs: Mapping[RunKey, Outputs], pairs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what `dvc metrics` and `dvc exp show` have of each recipe: means over the seeds.

    They are the accuracies of each backend, as fractions (the test set's and, where images are held out for it,
    validation's), and of pairs the differences on the test set, second backend minus first. McNemar's p is given for
    each seed, since its mean says nothing.
    """
    return {
        recipe: _accuracies({key: run.metrics for key, run in runs.items() if key.recipe == recipe})
        | _differences([pair for pair in pairs if pair["recipe"] == recipe and "difference" in pair])
        for recipe in dict.fromkeys(key.recipe for key in runs)
    }


def _accuracies(runs: Mapping[RunKey, Mapping[str, float]]) -> dict[str, Any]:
    accuracies: dict[str, dict[str, float]] = {}
    for backend in dict.fromkeys(key.backend for key in runs):
        seeds = [metrics for key, metrics in runs.items() if key.backend == backend]
        for name, metric in ACCURACIES.items():
            if all(metric in metrics for metrics in seeds):
                accuracies.setdefault(backend, {})[name] = fmean(metrics[metric] for metrics in seeds)
    return accuracies


def _differences(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not pairs:
        return {}
    return {
        "accuracy_difference": fmean(pair["difference"]["test/accuracy"] for pair in pairs),
        "loss_difference": fmean(pair["difference"]["test/loss"] for pair in pairs),
        "mcnemar_p": {str(pair["seed"]): pair["mcnemar"]["p"] for pair in pairs},
    }


def curves_csv(dataset: str, runs: Mapping[RunKey, Outputs]) -> str:
    """Return the epochs of all runs as CSV: a row of COLUMNS for each epoch and split.

    The loss is the mean cross-entropy per image, in nats.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key, run in runs.items():
        writer.writerows((dataset, key.recipe, key.seed, key.backend, *row) for row in _points(run.history))
    return text.getvalue()


def _points(history: Sequence[Mapping[str, float]]) -> Iterator[tuple[str, int, float, float]]:
    for split in SPLITS:
        for row in history:
            if f"{split}/loss" in row:
                error = round(100 * (1 - row[f"{split}/accuracy"]), 6)
                yield split, int(row["epoch"]), row[f"{split}/loss"], error
