"""A sweep of pairs as a figure: one framework's objective minus the other's, trial by trial."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import plotly.graph_objects as go

from experiments.reports.page.charts import DARK, GREY, style
from experiments.reports.page.names import name_of
from experiments.reports.page.sweep_charts import Trials, has_diverged, objective_axis, unit_of, with_unit
from experiments.system.colours import COLOURS

# Of normally distributed differences, 95 % lie within so many standard deviations (Bland and Altman, 1986).
LIMITS = 1.96


def pair_differences(sweep: Mapping[str, Any], complete: Trials) -> go.Figure:
    """Return the second framework's objective minus the first's, against their mean, with the spread.

    A point that diverged in one framework only is drawn at the edge where its difference would be.
    """
    first, second = sweep["backends"]
    both = [trial for trial in complete if len(trial["of"]) == 2]
    apart = [trial["of"][second] - trial["of"][first] for trial in both]
    means = [fmean(trial["of"].values()) for trial in both]
    figure = go.Figure()
    _limits(figure, apart)
    unit = unit_of(sweep["objective"])
    hover = f"%{{text}}<br>mean %{{x:.4f}}{unit}<br>difference %{{y:+.2e}}{unit}<extra></extra>"
    text = [f"trial {trial['trial']}" for trial in both]
    look = {"color": GREY, "size": 9}
    figure.add_scatter(x=means, y=apart, text=text, mode="markers", marker=look, name="a trial", hovertemplate=hover)
    edge = 1.3 * max(map(abs, apart), default=1.0) or 1.0
    for failed, other in ((first, second), (second, first)):
        _one_sided(figure, sweep, (failed, other), edge if failed == second else -edge)
    metric = with_unit(sweep["objective"])
    figure.update_xaxes(title_text=f"{metric}: mean of the two", **objective_axis(means) if means else {})
    figure.update_yaxes(title_text=f"{name_of(second)} minus {name_of(first)}", exponentformat="power", zeroline=True)
    return style(figure, f"{sweep['name']}: {name_of(second)} minus {name_of(first)}, trial by trial", 430)


def _limits(figure: go.Figure, apart: Sequence[float]) -> None:
    if len(apart) < 2:
        return
    mean, spread = fmean(apart), LIMITS * stdev(apart)
    figure.add_hrect(y0=mean - spread, y1=mean + spread, fillcolor=GREY, opacity=0.15, line_width=0)
    figure.add_hline(y=mean, line_width=1.5, line_dash="dash", line_color=DARK)
    # Lines and areas have no entry in the legend of their own.
    look = {"color": DARK, "dash": "dash", "width": 1.5}
    name = f"mean {mean:+.2g} ± {LIMITS} SD ({spread:.2g})"
    figure.add_scatter(x=[None], y=[None], mode="lines", line=look, name=name)


def _one_sided(figure: go.Figure, sweep: Mapping[str, Any], which: tuple[str, str], edge: float) -> None:
    failed, other = which
    names = [name_of(backend) for backend in which]
    unit = unit_of(sweep["objective"])
    # A loss without a number is above any, an accuracy without one below.
    side = edge if sweep["objective"].endswith("loss") else -edge
    chosen = [trial for trial in sweep["trials"] if has_diverged(trial) and list(trial["of"]) == [other]]
    if chosen:
        figure.add_scatter(
            x=[trial["of"][other] for trial in chosen],
            y=[side] * len(chosen),
            text=[f"trial {trial['trial']}" for trial in chosen],
            hovertemplate=f"%{{text}} diverged in {names[0]} only<br>{names[1]} %{{x:.4f}}{unit}<extra></extra>",
            mode="markers",
            marker={"symbol": "triangle-up" if side > 0 else "triangle-down", "color": COLOURS[failed], "size": 14},
            name=f"diverged in {names[0]} only",
        )
