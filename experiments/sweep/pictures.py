"""Optuna's own plots of a study as PNG files, for MLflow and for texts; the page of all runs has its own figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # no screen

import optuna.visualization.matplotlib as static
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from optuna import Study

from experiments.sweep.plan import Plan
from experiments.sweep.quiet import quiet_optuna

# The name of each plot: in Optuna's module, after `plot_`, and of the file.
PLOTS = {
    "optimization_history": "history",
    "slice": "slices",
    "contour": "contour",
    "intermediate_values": "intermediate_values",
}
# Contours have a panel for each two settings: more of them take minutes, and are too small to read.
MOST_PANELS = 4


def drawable(plan: Plan) -> dict[str, str]:
    """Return the plots that say something of the study: function → name."""
    left_out = set()
    if not 2 <= len(_numbers(plan)) <= MOST_PANELS:
        left_out.add("contour")
    if plan.settings.epochs < 2:
        left_out.add("intermediate_values")
    return {function: name for function, name in PLOTS.items() if function not in left_out}


def _numbers(plan: Plan) -> list[str]:
    """Return the settings between whose values there are others, of those that every trial has."""
    return [name for name, each in plan.ranges.items() if each.choices is None and not each.when]


def draw(study: Study, plan: Plan, folder: Path) -> list[Path]:
    """Write a PNG for each plot; return the files."""
    files = []
    # Optuna sets a style for the whole process.
    with quiet_optuna(), mpl.rc_context():
        for function, name in drawable(plan).items():
            figure = _static(study, plan, function)
            files.append(folder / f"{name}.png")
            figure.savefig(files[-1], dpi=120, bbox_inches="tight")
            plt.close(figure)
    return files


def _static(study: Study, plan: Plan, function: str) -> Figure:
    options: dict[str, Any] = {} if function == "intermediate_values" else {"target_name": plan.objective}
    if function == "contour":
        options["params"] = _numbers(plan)
    drawn = getattr(static, f"plot_{function}")(study, **options)
    if isinstance(drawn, np.ndarray):  # a panel for each setting, or for each two
        return _panels(plan, function, drawn)
    # Optuna sets some titles to the left.
    side = next((side for side in ("center", "left") if drawn.get_title(loc=side)), "center")
    drawn.set_title(f"{plan.name}: {drawn.get_title(loc=side).lower()}", loc=side)
    if function == "intermediate_values":
        _by_number(plan, drawn, drawn.lines)
    of_axes: Figure = drawn.figure
    return of_axes


def _panels(plan: Plan, function: str, drawn: Any) -> Figure:
    figure: Figure = drawn.flat[0].figure
    height = 4 * len(drawn) if drawn.ndim == 2 else 4
    figure.set_size_inches(4 * drawn.shape[-1], height)
    figure.suptitle(f"{plan.name}: {function} of {plan.objective}", y=0.93 if drawn.ndim == 2 else 0.98)
    return figure


def _by_number(plan: Plan, axes: Any, lines: Sequence[Any]) -> None:
    """Colour the trials by their number: a legend of every one of them would be longer than the plot."""
    axes.set(xlabel="epoch", ylabel=plan.objective)
    axes.xaxis.get_major_locator().set_params(integer=True)
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(lines)))
    for line, colour in zip(lines, colours, strict=True):
        line.set_color(colour)
    if legend := axes.get_legend():
        legend.remove()
    axes.set_title(f"{plan.name}: the objective after each epoch; the darker, the earlier the trial")
