"""Parity as JSON, as a table, and as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.parity.bounds import LATER_MULTIPLE, MULTIPLE, SHRINKS
from experiments.parity.protocol import (
    BATCH_SIZE,
    DROPOUT_ERROR,
    DROPOUT_RATE,
    EPOCHS,
    IMAGES,
    OPTIMISERS,
    PRECISIONS,
    SEED,
    SETTINGS,
)
from experiments.parity.result import Result
from experiments.system.files import write_atomically, write_json


def write_report(folder: Path, results: Sequence[Result], *, dataset: str, backends: Sequence[str]) -> str:
    """Write parity.json, parity.md and parity.png into a folder, and return the table."""
    protocol = {
        "backends": list(backends),
        "dataset": dataset,
        "images": IMAGES,
        "batch_size": BATCH_SIZE,
        "epochs": EPOCHS,
        "seed": SEED,
        "optimisers": SETTINGS,
        "dropout": {"rate": DROPOUT_RATE, "error_probability": DROPOUT_ERROR},
        "bounds": {"multiple": MULTIPLE, "later_multiple": LATER_MULTIPLE, "float64_scale": SHRINKS},
    }
    content = [result.as_json() for result in results]
    passed = all(result["passed"] for result in content)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "parity.json", {"passed": passed, "protocol": protocol, "architectures": content})
    table = to_markdown(content, backends)
    write_atomically(folder / "parity.md", table)
    picture(content).savefig(folder / "parity.png", dpi=120)
    return table


def to_markdown(architectures: Sequence[dict[str, Any]], backends: Sequence[str]) -> str:
    """Return a row for each architecture: its largest difference, as a share of its bound, in each training."""
    columns = [(optimiser, precision) for precision in PRECISIONS for optimiser in OPTIMISERS]
    header = ["architecture", "parameters", *(f"{o}, {p}" for o, p in columns), "dropout", "the same model"]
    rows = [header, ["---", *["--:"] * (len(columns) + 1), "---", "---"]]
    for one in architectures:
        found = {(t["optimiser"], t["precision"]): t for t in one["trainings"]}
        cells = [_cell(found[column]) if column in found else "" for column in columns]
        dropout = f"{len(one['dropout'])} checked" if one["dropout"] else ""
        name = ", ".join([one["architecture"], *one["styles"]])
        rows.append([name, f"{one['parameters']:,}", *cells, dropout, "yes" if one["passed"] else "**no**"])
    lines = [f"# Parity: {' and '.join(backends)}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    lines += [
        "Each cell: of all activations, gradients, losses and parameters, the one that comes closest to its bound:",
        "how far the frameworks are apart in it, and what share of the bound that is. experiments/parity/bounds.py",
        "derives the bounds. In float32, what comes after the first step is a check of size alone: rounding can flip a",
        "ReLU in one framework, and part two that are the same. The proof that steps are the same is float64's.",
    ]
    problems = [f"- {one['architecture']}: {problem}" for one in architectures for problem in one["problems"]]
    if problems:
        lines += ["", "## First differences", "", *problems]
    return "\n".join(lines) + "\n"


def _cell(training: dict[str, Any]) -> str:
    if training["maximum"] is None:
        return "not a number"
    share = training["maximum"] / training["bound"] if training["bound"] else np.inf
    return f"{training['maximum']:.0e} ({100 * share:.0f} %)"


def picture(architectures: Sequence[dict[str, Any]]) -> Figure:
    """Return the largest difference of any parameter or loss after each step: above in itself, below of its bound."""
    columns = [(optimiser, precision) for precision in PRECISIONS for optimiser in OPTIMISERS]
    figure = Figure(figsize=(4 * len(columns), 7), layout="constrained")
    axes = figure.subplots(2, len(columns), sharex=True, sharey="row", squeeze=False)
    for place, (optimiser, precision) in enumerate(columns):
        above, below = axes[0][place], axes[1][place]
        for one in architectures:
            for training in one["trainings"]:
                if (training["optimiser"], training["precision"]) == (optimiser, precision):
                    _draw(above, one["architecture"], training["steps"]["difference"])
                    _draw(below, one["architecture"], training["steps"]["share_of_bound"])
        above.set(title=f"{optimiser}, {precision}")
        below.set(xlabel="step")
        below.axhline(1, color="black", linestyle="--", linewidth=1)
        for one in (above, below):
            one.set_yscale("log")
            one.grid(alpha=0.3)
    axes[0][0].set(ylabel="largest difference")
    axes[1][0].set(ylabel="share of its bound (dashed: 1)")
    if axes[0][-1].get_legend_handles_labels()[0]:
        axes[0][-1].legend(fontsize=8)
    figure.suptitle("How far apart the two frameworks are after each step, over the loss and every parameter")
    return figure


def _draw(axes: Any, name: str, values: Sequence[float | None]) -> None:
    finite = np.array(values, dtype=float)
    finite[finite == 0] = np.nan  # a logarithmic axis has no place for an exact 0
    axes.plot(np.arange(1, len(finite) + 1), finite, label=name, linewidth=1.2)
