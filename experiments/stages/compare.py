"""Stage `compare`: the pairs side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from experiments.frameworks import PACKAGES
from experiments.reports.plots import learning_curves
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.errors import TandemError
from experiments.system.files import write_atomically, write_json
from experiments.training.outputs import Outputs, read_outputs

FIGURES = ("test/accuracy", "test/loss", "epoch_seconds", "images_per_second")
STAND_IN = "digits"


def compare(project: Project, params: Params) -> str:
    """Write compare.json, compare.md and a picture a pair to reports/pairs/, and return the table as Markdown.

    Raises:
        TandemError: a run that the settings ask for is not there, or its pair has other settings or data.
    """
    pictures = project.reports / "pairs"
    pictures.mkdir(parents=True, exist_ok=True)
    pairs = []
    for recipe in params.train.recipes:
        for seed in params.train.seeds:
            keys = [RunKey(recipe, name, seed) for name in PACKAGES if name in params.train.backends]
            runs = {str(key.backend): _read(project, key) for key in keys}
            dataset = _check_is_pair(recipe, seed, runs)
            pairs.append({"recipe": recipe, "seed": seed, **compare_runs(runs)})
            curves = learning_curves(f"{recipe}, seed {seed}, on {dataset}", {k: r.history for k, r in runs.items()})
            curves.savefig(pictures / f"{recipe}-{seed}.png", dpi=120)
    table = to_markdown(dataset, pairs)
    write_json(project.reports / "compare.json", {"dataset": dataset, "pairs": pairs})
    write_atomically(project.reports / "compare.md", table)
    return table


def _read(project: Project, key: RunKey) -> Outputs:
    folder = project.run(key)
    try:
        return read_outputs(folder)
    except FileNotFoundError:
        where = folder.relative_to(project.root)
        raise TandemError(f"{where}: run missing; `dvc repro train@{key.label}` makes it") from None


def _check_is_pair(recipe: str, seed: int, runs: Mapping[str, Outputs]) -> str:
    """Return the name of the dataset that the runs share."""
    tags = [run.record["tags"] for run in runs.values()]
    if len({tag["pair"] for tag in tags}) > 1:
        raise TandemError(
            f"runs/{recipe}: seed {seed}: expected runs of the same settings on the same data; "
            f"got {' and '.join(tag['pair'] for tag in tags)}; run `dvc repro`"
        )
    return str(tags[0]["dataset"])


def compare_runs(runs: Mapping[str, Outputs]) -> dict[str, Any]:
    """Return the figures of the runs of a pair and, where both members are there, what differs between them."""
    entry: dict[str, Any] = {
        "backends": {
            name: {
                **{figure: run.metrics[figure] for figure in FIGURES},
                **{
                    key: run.record[key]
                    for key in ("first_batch_loss", "initial_weights", "batch_order", "mlflow_run_id")
                },
            }
            for name, run in runs.items()
        }
    }
    if len(runs) == 2:
        (_, a), (_, b) = runs.items()
        entry["difference"] = {figure: b.metrics[figure] - a.metrics[figure] for figure in FIGURES}
        entry["difference"]["first_batch_loss"] = b.record["first_batch_loss"] - a.record["first_batch_loss"]
        entry["same_start"] = all(a.record[key] == b.record[key] for key in ("initial_weights", "batch_order"))
        entry["mcnemar"] = mcnemar(a, b)
    return entry


def mcnemar(a: Outputs, b: Outputs) -> dict[str, float]:
    """Compare two classifiers on the same images: the exact test of McNemar (1947), two-sided.

    Under the hypothesis that both err equally often, each image that only one of them gets right is a toss of a
    fair coin. Returns how many images each alone gets right, and the probability of a split at least as uneven.
    """
    right_a, right_b = a.predicted == a.actual, b.predicted == b.actual
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(right_b & ~right_a))
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return {"only_first_right": only_a, "only_second_right": only_b, "p": float(p)}


def to_markdown(dataset: str, pairs: list[dict[str, Any]]) -> str:
    """Return the table of the pairs, one a row."""
    backends = list(pairs[0]["backends"])
    header = ["recipe", "seed", "accuracy %", "loss", "s/epoch", "images/s"]
    if len(backends) == 2:
        header += ["Δ accuracy", "Δ loss", "McNemar p", "same start"]
    rows = [header, ["---"] * len(header), *(_row(pair) for pair in pairs)]
    lines = [f"# Pairs on {dataset}: {' / '.join(backends)}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    lines += _legend(backends)
    if dataset == STAND_IN:
        lines += ["", f"**The dataset is the stand-in `{STAND_IN}`, not MNIST: this says nothing about MNIST.**"]
    return "\n".join(lines) + "\n"


def _row(pair: dict[str, Any]) -> list[str]:
    runs = pair["backends"].values()
    row = [
        pair["recipe"],
        str(pair["seed"]),
        " / ".join(f"{100 * run['test/accuracy']:.2f}" for run in runs),
        " / ".join(f"{run['test/loss']:.4f}" for run in runs),
        " / ".join(f"{run['epoch_seconds']:.1f}" for run in runs),
        " / ".join(f"{run['images_per_second']:.0f}" for run in runs),
    ]
    if "difference" in pair:
        difference = pair["difference"]
        row += [f"{100 * difference['test/accuracy']:+.2f}", f"{difference['test/loss']:+.0e}"]
        row += [f"{pair['mcnemar']['p']:.2f}", "yes" if pair["same_start"] else "**no**"]
    return row


def _legend(backends: list[str]) -> list[str]:
    lines = ["Accuracy and loss: test set. Seconds and images/s: the median epoch, training alone."]
    if len(backends) == 2:
        lines += [
            f"Δ: {backends[1]} minus {backends[0]}, of accuracy in points.",
            "McNemar p: how likely chance makes a difference this large on the same images.",
            "Same start: initial weights and batch order are the same.",
        ]
    return lines


def report_files(folder: Path) -> list[Path]:
    """Return what compare leaves to look at in reports/."""
    return [folder / "compare.md", *sorted((folder / "pairs").glob("*.png"))]
