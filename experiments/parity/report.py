"""The report of parity's results: JSON, tables, and a plot."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tabulate import tabulate

from experiments.parity import bounds, protocol
from experiments.parity.check import largest
from experiments.parity.mixed import BFLOAT16
from experiments.parity.results import Result, SettingResult, Training
from experiments.parity.variants import ARCHITECTURE
from experiments.settings.recipe import OptimiserName
from experiments.system.files import write_atomically, write_json

NOTES = """
Each cell: of all activations, gradients, losses and parameters, the one closest to its bound: the difference between
the frameworks, and its share of the bound. experiments/parity/bounds.py derives the bounds. In float32, the check
after the first batch is one of magnitude only: rounding can flip a ReLU in one framework, and then two that are the
same differ. The proof that the steps are the same is float64's.
"""
SETTINGS = f"""
## Settings

Each in small trainings of {ARCHITECTURE}; `experiments/parity/variants.py` lists them. The cells are as above; for
bfloat16, they are the difference in the gap that bfloat16 makes, and its share of what is allowed.
"""
PRECISIONS = (*protocol.PRECISIONS, BFLOAT16)
PROTOCOL = {
    **asdict(protocol.FULL),
    "large": {**asdict(protocol.LARGE), "image_size": protocol.MOST_PIXELS, "above": protocol.MOST_PARAMETERS},
    "seed": protocol.SEED,
    "optimisers": protocol.SETTINGS,
    "dropout": {"rate": protocol.DROPOUT_RATE, "error_probability": protocol.DROPOUT_ERROR},
    "bounds": {"multiple": bounds.MULTIPLE, "later_multiple": bounds.LATER_MULTIPLE, "float64_scale": bounds.SHRINKS},
}


def write_report(
    folder: Path,
    results: Sequence[Result],
    settings: Sequence[SettingResult] = (),
    *,
    dataset: str,
    backends: Sequence[str],
    commit: str = "none",
) -> str:
    """Write parity.json, parity.md and parity.png into a folder, and return the tables."""
    content = {
        "passed": not any([one.problems for one in results] + [one.problems for one in settings]),
        "commit": commit,
        "protocol": {"backends": list(backends), "dataset": dataset, **PROTOCOL},
        "architectures": [result.as_json() for result in results],
        "settings": [result.as_json() for result in settings],
    }
    write_json(folder / "parity.json", content)
    table = to_markdown(results, backends) + (settings_table(settings) if settings else "")
    write_atomically(folder / "parity.md", table)
    parity_plot(results).savefig(folder / "parity.png", dpi=150)
    return table


def to_markdown(results: Sequence[Result], backends: Sequence[str]) -> str:
    """Return a row for each architecture: its largest difference, as a share of its bound, in each training."""
    columns = [(optimiser, precision) for precision in protocol.PRECISIONS for optimiser in protocol.OPTIMISERS]
    header = ["architecture", "parameters", *map(", ".join, columns), "dropout", "the same model"]
    rows = []
    for result in results:
        cells = {(training.optimiser, training.precision): _cell(training) for training in result.trainings}
        dropout = f"{len(result.dropout)} checked" if result.dropout else ""
        name = ", ".join([result.architecture, *result.styles])
        same = "**no**" if result.problems else "yes"
        shares = [cells.get(column, "") for column in columns]
        rows.append([name, f"{result.parameters:,}", *shares, dropout, same])
    align = ["left", *["right"] * (len(columns) + 1), "left", "left"]
    table = tabulate(rows, header, tablefmt="pipe", colalign=align, disable_numparse=True)
    problems = [f"- {result.architecture}: {problem}" for result in results for problem in result.problems]
    differences = ["\n## First differences\n", *problems, ""] if problems else []
    return "\n".join([f"# Parity: {' and '.join(backends)}\n", table, NOTES.rstrip(), "", *differences])


def settings_table(results: Sequence[SettingResult]) -> str:
    """Return a row for each setting: its largest difference, as a share of its bound, in each precision."""
    rows = []
    for result in results:
        cells = {training.precision: _cell(training) for training in result.trainings}
        shares = [cells.get(precision, "") for precision in PRECISIONS]
        changes = json.dumps(result.variant.changes).replace('"', "")[1:-1]
        rows.append([result.setting, f"`{changes}`", *shares, "**no**" if result.problems else "yes"])
    header = ["setting", "in a recipe", *PRECISIONS, "the same training"]
    align = ["left", "left", *["right"] * len(PRECISIONS), "left"]
    table = tabulate(rows, header, tablefmt="pipe", colalign=align, disable_numparse=True)
    problems = [f"- {result.setting}: {problem}" for result in results for problem in result.problems]
    return "\n".join([SETTINGS, table, *(["", *problems] if problems else []), ""])


def _cell(training: Training) -> str:
    closest = largest(training.quantities)
    if not math.isfinite(closest.difference):
        return "not a number"
    return f"{closest.difference:.0e} ({100 * closest.ratio:.0f} %)"


def parity_plot(results: Sequence[Result]) -> Figure:
    """Return a plot of the largest difference of the loss or any parameter up to each step, a panel per optimiser."""
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    panels = figure.subplots(1, len(protocol.OPTIMISERS), sharex=True, sharey=True)
    for axes, optimiser in zip(panels, protocol.OPTIMISERS, strict=True):
        _draw_panel(axes, results, optimiser)
    panels[0].set(ylabel="difference", yscale="log")
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right center", title="parameters", frameon=False, fontsize=9)
    figure.suptitle("Largest difference of a parameter or loss between the frameworks, up to each step")
    return figure


def _draw_panel(axes: Axes, results: Sequence[Result], optimiser: OptimiserName) -> None:
    by_size = sorted(results, key=lambda result: result.parameters)
    # Ordered colours, darker with more parameters: they differ in grey and for a colour-blind reader too.
    colours = mpl.colormaps["viridis"](np.linspace(0.92, 0, len(by_size)))
    for result, colour in zip(by_size, colours, strict=True):
        label = f"{result.architecture}, {result.parameters:,}"
        for training in result.trainings:
            if training.optimiser == optimiser:
                largest_so_far = np.maximum.accumulate(training.differences)
                axes.plot(np.arange(len(largest_so_far)) + 1, largest_so_far, color=colour, linewidth=1.6, label=label)
                label = "_"  # one line in the legend for both precisions
    for precision, roundoff in bounds.UNIT_ROUNDOFF.items():
        axes.axhline(roundoff, color="black", linestyle=":", linewidth=1)
        text, right = f"{precision}, rounding unit {roundoff:.0e}", axes.get_yaxis_transform()
        axes.text(0.98, roundoff / 1.6, text, transform=right, ha="right", va="top", fontweight="bold")
    axes.set(title={"sgd": "SGD", "adam": "Adam"}[optimiser], xlabel="step")
    axes.grid(alpha=0.25)
