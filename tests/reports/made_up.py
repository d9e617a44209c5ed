"""What other commands leave for the page, made up: a sweep of pairs, its confirmation, parity, published results."""

import json
from pathlib import Path
from typing import Any

from experiments.settings.project import Project

SPACE = {"lr": {"low": 0.001, "high": 1.0, "log": True}, "momentum": {"low": 0.0, "high": 0.9, "log": False}}
MADE_FROM = {"runs": [["sweep s", "a" * 32], ["s-0-keras", "b" * 32]], "commits": ["c" * 40], "settings": ["12345678"]}


def trial(number: int, **changes: Any) -> dict[str, Any]:
    """Return a complete trial of both frameworks; the first has the recipe's own settings."""
    value = 0.3 + number / 50
    known = {"lr": 0.001 * 1.25**number, "momentum": number / 30}
    both = {"lightning": value, "keras": value + 0.001 * number}
    return {
        **{"trial": number, "state": "COMPLETE", "params": known, "value": value, "of": both},
        **{"own": number == 0, "reason": ""},
        **changes,
    }


def sweep() -> dict[str, Any]:
    """Return a sweep of pairs with everything that a sweep may have."""
    diverged = {"value": None, "of": {"lightning": 0.5}, "reason": "keras: train/loss is nan"}
    trials = [trial(number) for number in range(22)]
    ranges = {"lr": {"low": 0.2, "median": 0.5, "high": 0.7}, "momentum": {"low": 0.3, "median": 0.5, "high": 0.8}}
    values = {"fANOVA": {"lr": [0.2, 0.5], "momentum": [0.8, 0.5]}, "PED-ANOVA": {"lr": [0.7], "momentum": [0.3]}}
    return {
        **{"name": "s", "recipe": "lenet", "backend": "both", "backends": ["lightning", "keras"]},
        **{"objective": "val/loss", "epochs": 2, "space": SPACE, "made_from": MADE_FROM},
        "trials": [*trials, trial(22, state="PRUNED", of={}), trial(23, **diverged)],
        "importance": {"trials": 22, "seeds": 2, "settings": ranges, "evaluators": values},
    }


def confirmation() -> dict[str, Any]:
    """Return a confirmation of two candidates."""
    values = {"2": 0.31, "3": 0.3, "4": 0.32}
    worse = {seed: value + 0.1 + 0.01 * place for place, (seed, value) in enumerate(values.items())}
    candidates = [
        {"trial": 1, "settings": {}, "sweep_value": 0.32, "values": values, "own": False},
        {"trial": 0, "settings": {}, "sweep_value": 0.3, "values": worse, "own": True},
    ]
    return {
        **{"study": "s", "objective": "val/loss", "epochs": 2, "seeds": [2, 3, 4], "candidates": candidates},
        "leads": [{"trial": 0, "mean": 0.11, "half": 0.025, "doubt": None}],
        "verdicts": ["Trial 1 is **really ahead of** trial 0."],
        "made_from": MADE_FROM,
    }


def parity() -> dict[str, Any]:
    """Return a parity report."""
    training = {"optimiser": "sgd", "precision": "float64", "maximum": 1e-15, "bound": 1e-13, "closest": "loss"}
    architecture = {"architecture": "lenet", "parameters": 431080, "trainings": [{**training, "passed": True}]}
    setting = {"setting": "weight decay, SGD (coupled)", "trainings": architecture["trainings"]}
    report = {"passed": True, "commit": "d" * 40, "protocol": {"seed": 1}}
    return {**report, "architectures": [architecture], "settings": [setting]}


def published() -> dict[str, Any]:
    """Return published results beside ours."""
    ours = {"lightning": [0.95, 0.96], "keras": [0.94, 0.96]}
    row = {"metric": "test/accuracy", "epoch": 1, "published": 0.955, "ours": ours}
    entry = {"recipe": "lenet", "rows": [row], "paired": [-0.01, 0.0]}
    return {"dataset": "small", "seeds": [1, 2], "recipes": [entry], "made_from": MADE_FROM}


def write_reports(project: Project) -> None:
    """Write all of it."""
    folder = project.sweep_report("s")
    _write(folder / "sweep.json", sweep())
    _write(folder / "confirm-2-epochs.json", confirmation())
    _write(project.reports / "parity.json", parity())
    _write(project.reports / "published.json", published())


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))
