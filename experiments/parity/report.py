"""The results of parity, and the report of them: JSON, a table, and a plot."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tabulate import tabulate

from experiments.contract.backend import Precision
from experiments.parity import bounds, protocol
from experiments.parity.check import Quantity, first_beyond, largest
from experiments.parity.dropout import DropoutCheck
from experiments.system.files import write_atomically, write_json

T = TypeVar("T")
NOTES = """
Each cell: of all activations, gradients, losses and parameters, the one closest to its bound: the difference between
the frameworks, and its share of the bound. experiments/parity/bounds.py derives the bounds. In float32, the check
after the first batch is one of magnitude only: rounding can flip a ReLU in one framework, and then two that are the
same differ. The proof that the steps are the same is float64's.
"""
PROTOCOL = {
    **asdict(protocol.FULL),
    "large": {**asdict(protocol.LARGE), "image_size": protocol.MOST_PIXELS, "above": protocol.MOST_PARAMETERS},
    "seed": protocol.SEED,
    "optimisers": protocol.SETTINGS,
    "dropout": {"rate": protocol.DROPOUT_RATE, "error_probability": protocol.DROPOUT_ERROR},
    "bounds": {"multiple": bounds.MULTIPLE, "later_multiple": bounds.LATER_MULTIPLE, "float64_scale": bounds.SHRINKS},
}


@dataclass(frozen=True)
class Training:
    """A small training in both frameworks: the quantities of its first batch, then those of each step."""

    optimiser: protocol.Optimiser
    precision: Precision
    start: list[Quantity]
    steps: list[list[Quantity]]

    @property
    def quantities(self) -> list[Quantity]:
        """All of them, in the order in which they are computed."""
        return [*self.start, *(quantity for row in self.steps for quantity in row)]

    @property
    def differences(self) -> list[float]:
        """The largest difference of each step."""
        return [max(quantity.difference for quantity in row) for row in self.steps]

    def as_json(self) -> dict[str, Any]:
        """Return the quantity closest to its bound, the first beyond it, and the largest of each step.

        `maximum` is the difference of the closest quantity.
        """
        closest, beyond = largest(self.quantities), first_beyond(self.quantities)
        return {
            "optimiser": self.optimiser,
            "precision": self.precision,
            "passed": beyond is None,
            "closest": closest.where,
            "maximum": _finite(closest.difference),
            "bound": _finite(closest.bound),
            "first_difference": beyond and {name: _finite(value) for name, value in asdict(beyond).items()},
            "steps": {
                "difference": [_finite(value) for value in self.differences],
                "share_of_bound": [_finite(largest(row).ratio) for row in self.steps],
            },
        }


def _finite(value: T) -> T | None:
    """Return the value, or None for a number that JSON can't hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass
class Result:
    """The result for one architecture; `problems` are the first differences, none if the twins are the same."""

    architecture: str
    styles: list[str]
    problems: list[str] = field(default_factory=list)
    layers: int = 0
    parameters: int = 0
    trainings: list[Training] = field(default_factory=list)
    dropout: list[DropoutCheck] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the content of parity.json for the architecture."""
        return {
            "passed": not self.problems,
            **vars(self),
            "trainings": [training.as_json() for training in self.trainings],
            "dropout": [asdict(check) for check in self.dropout],
        }


def write_report(
    folder: Path, results: Sequence[Result], *, dataset: str, backends: Sequence[str], commit: str = "none"
) -> str:
    """Write parity.json, parity.md and parity.png into a folder, and return the table."""
    content = {
        "passed": not any(result.problems for result in results),
        "commit": commit,
        "protocol": {"backends": list(backends), "dataset": dataset, **PROTOCOL},
        "architectures": [result.as_json() for result in results],
    }
    write_json(folder / "parity.json", content)
    table = to_markdown(results, backends)
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


def _draw_panel(axes: Axes, results: Sequence[Result], optimiser: protocol.Optimiser) -> None:
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
