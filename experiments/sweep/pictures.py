"""Optuna's own plots of a study: interactive in one HTML page, and as PNG files."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # no screen

import optuna.visualization as interactive
import optuna.visualization.matplotlib as static
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from optuna import Study
from optuna.trial import TrialState

from experiments.sweep.plan import Plan
from experiments.system.files import write_atomically

# The name of each plot: in Optuna's two modules, after `plot_`, and of the file.
PLOTS = {
    "optimization_history": "history",
    "param_importances": "importances",
    "parallel_coordinate": "parallel_coordinates",
    "contour": "contour",
    "intermediate_values": "intermediate_values",
}
# Optuna's own colours put red beside green: Okabe and Ito's (2008), without their green.
COLOURS = ["#0072B2", "#E69F00", "#56B4E9", "#D55E00", "#CC79A7", "#000000"]
# Fewer trials tell no importance.
LEAST_TRIALS = 4


def drawable(study: Study, plan: Plan) -> dict[str, str]:
    """Return the plots that the study has enough trials for: function → name."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    left_out = set()
    if len(complete) < LEAST_TRIALS or len({trial.value for trial in complete}) == 1:
        left_out.add("param_importances")
    if len(plan.space) < 2:
        left_out |= {"contour", "param_importances"}
    return {function: name for function, name in PLOTS.items() if function not in left_out}


def draw(study: Study, plan: Plan, folder: Path) -> list[Path]:
    """Write report.html and a PNG for each plot; return the files."""
    shown = drawable(study, plan)
    parts = [_html(study, function, plan.objective, first=index == 0) for index, function in enumerate(shown)]
    files = [folder / "report.html"]
    write_atomically(files[0], _page(plan.name, parts))
    # Optuna sets a style for the whole process.
    with _quiet(), mpl.rc_context():
        for function, name in shown.items():
            figure = _static(study, plan, function)
            files.append(folder / f"{name}.png")
            figure.savefig(files[-1], dpi=120, bbox_inches="tight")
            plt.close(figure)
    return files


def _options(function: str, target: str) -> dict[str, Any]:
    return {} if function == "intermediate_values" else {"target_name": target}


def _html(study: Study, function: str, target: str, *, first: bool) -> str:
    with _quiet():
        figure = getattr(interactive, f"plot_{function}")(study, **_options(function, target))
    figure.update_layout(colorway=COLOURS)
    # The script is in the page once, so that it opens without a network, from MLflow too.
    return str(figure.to_html(full_html=False, include_plotlyjs=first))


def _page(title: str, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def _static(study: Study, plan: Plan, function: str) -> Figure:
    drawn = getattr(static, f"plot_{function}")(study, **_options(function, plan.objective))
    if isinstance(drawn, np.ndarray):  # a contour of three settings
        figure: Figure = drawn.flat[0].figure
        figure.set_size_inches(4 * len(drawn), 4 * len(drawn))
        figure.suptitle(f"{plan.name}: contour of {plan.objective}", y=0.93)
        return figure
    # Optuna sets some titles to the left.
    side = next((side for side in ("center", "left") if drawn.get_title(loc=side)), "center")
    drawn.set_title(f"{plan.name}: {drawn.get_title(loc=side).lower()}", loc=side)
    if function == "intermediate_values":
        drawn.set(xlabel="epoch", ylabel=plan.objective)
        drawn.xaxis.get_major_locator().set_params(integer=True)
        colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(drawn.lines)))
        for line, colour in zip(drawn.lines, colours, strict=True):
            line.set_color(colour)
        drawn.legend(bbox_to_anchor=(1.05, 1), loc="upper left", borderaxespad=0)
    of_axes: Figure = drawn.figure
    return of_axes


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    level = logging.getLogger("optuna").level
    logging.getLogger("optuna").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):  # that Optuna's plots are experimental
        yield
    logging.getLogger("optuna").setLevel(level)
