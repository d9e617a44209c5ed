"""The content of reports/ladder.json: plain values, for the terminal, the page and programs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.ladder import problems
from experiments.ladder.judge import Difference
from experiments.ladder.registry import FRAMEWORKS
from experiments.ladder.run import Rung


def content(rungs: Sequence[Rung], *, outputs: int, threads: int, commit: str) -> dict[str, Any]:
    """Return what came of the rungs, and what it depends on."""
    return {
        "passed": all(rung.passed for rung in rungs),
        "commit": commit,
        "versions": {name: number for each in FRAMEWORKS.values() for name, number in each.versions.items()},
        "threads": threads,
        "problem": {
            "examples": problems.EXAMPLES,
            "inputs": problems.INPUTS,
            "hidden": problems.HIDDEN,
            "outputs": outputs,
            "steps": problems.STEPS,
        },
        "rungs": [_row(rung) for rung in rungs],
    }


def _row(rung: Rung) -> dict[str, Any]:
    timed = rung.runs.get("float32")
    return {
        "rung": rung.place.rung,
        "framework": rung.place.framework,
        "title": FRAMEWORKS[rung.place.framework].title,
        "state": rung.state,
        "notes": list(rung.notes),
        "loss": _finite(rung.loss),
        **{kind: _difference(rung.apart.get(kind)) for kind in problems.PRECISIONS},
        "lines": rung.lines,
        "steps_per_second": timed and timed.steps_per_second,
        "first_step_seconds": timed and timed.first_step_seconds,
    }


def _difference(one: Difference | None) -> Mapping[str, Any] | None:
    return {"of": one.what, "maximum": _finite(one.maximum), "bound": _finite(one.bound)} if one else None


def _finite(value: float | None) -> float | None:
    """Return the value, or None for one that JSON can't hold."""
    return value if value is not None and math.isfinite(value) else None
