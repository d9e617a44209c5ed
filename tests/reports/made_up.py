"""What other commands leave for the page, made up: a sweep of pairs, its confirmation, parity, and so on."""

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


def operations() -> dict[str, Any]:
    """Return the answers of two libraries, one of them different."""
    same = {"library": "NumPy", "call": "np.sum(u)", "answer": "uint64 () 263", "differs": []}
    other = {"library": "TensorFlow", "call": "tf.sum(u | u)", "answer": "uint8 () 7", "differs": ["dtype", "values"]}
    row = {"operation": "sum", "group": "reductions", "inputs": {"u": "uint8 (2,) [250, 13]"}, "answers": [same, other]}
    return {
        "versions": {"numpy": "2.4.6"},
        "summary": "0 of 1 operations give the same everywhere.",
        "operations": [row],
    }


def ladder() -> dict[str, Any]:
    """Return a ladder of two rungs: in Keras, one isn't within its bounds, and Lightning lacks the other."""
    numpy = {"rung": "manual", "framework": "numpy", "title": "NumPy", "state": "reference", "notes": [], "lines": 17}
    numpy |= {"loss": 0.5, "steps_per_second": 3000.0, "first_step_seconds": 0.01, "float64": None, "float32": None}
    apart = {"float64": {"of": "w1", "maximum": 0.0, "bound": 1e-13}}
    apart |= {"float32": {"of": "w1", "maximum": 1e-7, "bound": 4e-7}}
    torch = {**numpy, **apart, "framework": "lightning", "title": "PyTorch", "state": "within"}
    keras = {**torch, "framework": "keras", "title": "TensorFlow", "state": "not within", "notes": ["w1 is off"]}
    keras["float32"] = {"of": "w1", "maximum": 1e-6, "bound": 4e-7}
    nothing = dict.fromkeys(("loss", "float64", "float32", "lines", "steps_per_second", "first_step_seconds"))
    session = {"rung": "graph_session", "state": "none", "notes": ["none, since …"], **nothing}
    lacking = {**torch, **session}
    problem = {"examples": 64, "inputs": 1000, "hidden": 100, "outputs": 10, "steps": 100}
    about = {"passed": False, "commit": "c" * 40, "versions": {"numpy": "2.4.6"}, "threads": 1, "problem": problem}
    return {**about, "rungs": [numpy, torch, keras, lacking]}


def graphs() -> dict[str, Any]:
    """Return what a compiled function gave."""
    names = {"case": "prints", "calls": "three values", "framework": "TensorFlow", "way": "tf.function(f)"}
    row = {**names, "reports": "traced once", "answers": "WRONG: side effect once", "outcome": "wrong", "time": 0.5}
    question = {"key": "breaks", "title": "What breaks a graph", "timed": True, "rows": [row]}
    return {"versions": {"torch": "2.13.0"}, "machine": "a processor", "questions": [question]}


def write_reports(project: Project) -> None:
    """Write all of it."""
    folder = project.sweep_report("s")
    _write(folder / "sweep.json", sweep())
    _write(folder / "confirm-2-epochs.json", confirmation())
    _write(project.reports / "parity.json", parity())
    _write(project.reports / "published.json", published())
    _write(project.reports / "operations.json", operations())
    _write(project.reports / "ladder.json", ladder())
    _write(project.reports / "graphs.json", graphs())


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))
