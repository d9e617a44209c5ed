"""Pairs: what differs between the two runs of one recipe and seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest
from tabulate import tabulate

from experiments.settings.project import Project, RunKey
from experiments.system.errors import TandemError
from experiments.training.outputs import Answers, Outputs, read_outputs

METRICS = ("test/accuracy", "test/loss", "median_epoch_seconds", "median_images_per_second")
RECORDED = ("first_batch_loss", "initial_weights", "batch_order", "mlflow_run_id", "environment")
STAND_IN = "digits"


def read_pair(project: Project, keys: Sequence[RunKey]) -> dict[str, Outputs]:
    """Return the outputs of runs of one recipe and seed, by backend.

    Raises:
        TandemError: one is missing, or they differ in settings or data.
    """
    runs: dict[str, Outputs] = {}
    for key in keys:
        try:
            runs[key.backend] = read_outputs(project.run(key))
        except FileNotFoundError:
            where = project.run(key).relative_to(project.root)
            raise TandemError(f"{where}: run missing; `dvc repro train@{key.label}` makes it") from None
    pairs = [run.record["tags"]["pair"] for run in runs.values()]
    if len(set(pairs)) > 1:
        raise TandemError(
            f"runs/{keys[0].recipe}: seed {keys[0].seed}: expected runs of the same settings on the same data; "
            f"got {' and '.join(pairs)}; run `dvc repro`"
        )
    return runs


def compare_runs(runs: Mapping[str, Outputs]) -> dict[str, Any]:
    """Return the metrics of the runs of a pair and, if both exist, what differs between them."""
    entry: dict[str, Any] = {
        "backends": {
            backend: {name: run.metrics[name] for name in METRICS} | {name: run.record[name] for name in RECORDED}
            for backend, run in runs.items()
        }
    }
    if len(runs) == 2:
        a, b = runs.values()
        entry["difference"] = {name: b.metrics[name] - a.metrics[name] for name in METRICS}
        entry["difference"]["first_batch_loss"] = b.record["first_batch_loss"] - a.record["first_batch_loss"]
        entry["same_start"] = all(a.record[key] == b.record[key] for key in ("initial_weights", "batch_order"))
        entry["mcnemar"] = mcnemar(a, b)
        entry["environment_differs"] = mismatches({backend: run.record["environment"] for backend, run in runs.items()})
    return entry


def mismatches(environments: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what differs between the environments of runs, among what all of them have: device, threads, versions."""
    shared = set.intersection(*(set(environment) for environment in environments.values()))
    differing = [name for name in sorted(shared) if len({env[name] for env in environments.values()}) > 1]
    return [f"{name}: {', '.join(f'{env[name]} ({run})' for run, env in environments.items())}" for name in differing]


def mcnemar(a: Outputs | Answers, b: Outputs | Answers) -> dict[str, float]:
    """Compare two classifiers on the same images: the exact test of McNemar (1947), two-sided.

    If both err equally often, each image that only one of them classifies correctly is a toss of a fair coin.
    Returns how many images each alone gets right, and the probability of a split at least as uneven.
    """
    right_a, right_b = a.predicted == a.actual, b.predicted == b.actual
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(right_b & ~right_a))
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return {"only_first_right": only_a, "only_second_right": only_b, "p": float(p)}


def to_markdown(dataset: str, pairs: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of the pairs, one a row, and what to know when reading it."""
    backends = list(pairs[0]["backends"])
    table = tabulate([_row(pair) for pair in pairs], headers="keys", tablefmt="github", disable_numparse=True)
    lines = [f"# Pairs on {dataset}: {' / '.join(backends)}", "", table, "", *_legend(backends)]
    differing = [
        f"- {pair['recipe']}, seed {pair['seed']}: {text}"
        for pair in pairs
        for text in pair.get("environment_differs", [])
    ]
    if differing:
        lines += ["", "**More than the framework differs** in these pairs:", "", *differing]
    if across := _across(pairs):
        lines += ["", "**The pairs were not trained under the same conditions**:", "", *across]
    if dataset == STAND_IN:
        lines += ["", f"**The dataset is the stand-in `{STAND_IN}`, not MNIST: this says nothing about MNIST.**"]
    return "\n".join(lines) + "\n"


def _across(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what differs between runs of one backend in different pairs."""
    lines = []
    for backend in pairs[0]["backends"]:
        environments = {f"{p['recipe']}, seed {p['seed']}": p["backends"][backend]["environment"] for p in pairs}
        lines += [f"- {backend}: {text}" for text in mismatches(environments)]
    return lines


def _row(pair: Mapping[str, Any]) -> dict[str, str]:
    runs = pair["backends"].values()
    row = {
        "recipe": pair["recipe"],
        "seed": str(pair["seed"]),
        "accuracy %": " / ".join(f"{100 * run['test/accuracy']:.2f}" for run in runs),
        "loss": " / ".join(f"{run['test/loss']:.4f}" for run in runs),
        "s/epoch": " / ".join(f"{run['median_epoch_seconds']:.1f}" for run in runs),
        "images/s": " / ".join(f"{run['median_images_per_second']:.0f}" for run in runs),
    }
    if "difference" in pair:
        difference = pair["difference"]
        row |= {"Δ accuracy": f"{100 * difference['test/accuracy']:+.2f}", "Δ loss": f"{difference['test/loss']:+.0e}"}
        row |= {"McNemar p": f"{pair['mcnemar']['p']:.2f}", "same start": _yes(pair["same_start"])}
        row["same environment"] = _yes(not pair["environment_differs"])
    return row


def _yes(condition: bool) -> str:
    return "yes" if condition else "**no**"


def _legend(backends: Sequence[str]) -> list[str]:
    lines = ["Accuracy and loss: test set. Seconds and images/s: the median epoch, training alone."]
    if len(backends) == 2:
        lines += [
            f"Δ: {backends[1]} minus {backends[0]}, accuracy in points.",
            "McNemar p: the probability of a difference at least this large on the same images by chance.",
            "Same start: initial weights and batch order are the same. Same environment: so are device, threads and",
            "the versions of the packages that both use.",
        ]
    return lines
