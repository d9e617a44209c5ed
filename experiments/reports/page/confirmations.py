"""The confirmations of a sweep: its best trials with fresh seeds, and by how much the winner is ahead."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.intervals import interval
from experiments.reports.made_from import read_made_from
from experiments.reports.page.charts import DARK, GREY, style
from experiments.reports.page.section import Chart, Part, Table, Text
from experiments.reports.page.sweep_charts import unit_of, with_unit


def confirmation_parts(found: Mapping[str, Any]) -> list[Part]:
    """Return the verdict, the figure and the table of a confirmation."""
    origin = read_made_from(f"tandem sweep confirm {found['study']}", found.get("made_from", {}))
    epochs, seeds = found["epochs"], len(found["seeds"])
    what = f"Confirmed with {seeds} fresh seeds over {epochs} epoch{'' if epochs == 1 else 's'}"
    trials = ", ".join(str(candidate["trial"]) for candidate in found["candidates"])
    verdicts = " ".join(found["verdicts"]).replace("**", "")
    chart = Chart(confirmation_chart(found), f"{found['study']}, confirmed", origin)
    return [
        Text(f"{what}. {verdicts}"),
        chart,
        _table(found, f"{found['study']}: trials {trials}, {what[0].lower()}{what[1:]}", origin),
    ]


def _table(found: Mapping[str, Any], title: str, origin: Any) -> Table:
    seeds = [str(seed) for seed in found["seeds"]]
    rows = []
    for candidate in found["candidates"]:
        values = candidate["values"]
        spread = interval(list(values.values())) if len(values) > 1 else None
        text = f"{spread.mean:.4f} ± {spread.half:.4f}" if spread else "–"
        of_seeds = [f"{values[seed]:.4f}" if seed in values else "failed" for seed in seeds]
        rows.append([_name(candidate), f"{candidate['sweep_value']:.4f}", text, *of_seeds])
    head = ["trial", "in the sweep", "mean ± 95 %", *(f"seed {seed}" for seed in seeds)]
    groups = [("", 1), (str(found["objective"]), len(head) - 1)]
    return Table(head, rows, title, folded=True, groups=groups, made_from=origin)


def _name(candidate: Mapping[str, Any]) -> str:
    return f"trial {candidate['trial']}{', own settings' if candidate['own'] else ''}"


def confirmation_chart(found: Mapping[str, Any]) -> go.Figure:
    """Return the values of each candidate, seed by seed, and the winner's lead over the others, with its interval."""
    candidates, objective = found["candidates"], with_unit(found["objective"])
    winner, *others = candidates
    titles = ["with fresh seeds", f"lead of {_name(winner)}, seed by seed"]
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.16)
    for place, candidate in enumerate(candidates):
        _candidate(figure, candidate, first=place == 0)
    tested = {lead["trial"]: lead for lead in found.get("leads", [])}
    for other in others:
        _lead(figure, winner, other, tested.get(other["trial"]), 1 if objective.startswith("val/loss") else -1)
    order = {"categoryorder": "array", "range": [-0.6, len(candidates) - 0.4]}
    figure.update_yaxes(categoryarray=[_name(each) for each in reversed(candidates)], **order, col=1)
    figure.update_yaxes(categoryarray=[*(f"over {_name(each)}" for each in reversed(others)), ""], **order, col=2)
    figure.update_xaxes(title_text=objective, col=1)
    figure.update_xaxes(title_text="lead (above 0: ahead)", zeroline=True, zerolinecolor=DARK, col=2)
    trials = ", ".join(str(each["trial"]) for each in candidates)
    title = f"{found['study']}: trials {trials} with {len(found['seeds'])} fresh seeds"
    unit = unit_of(found["objective"])
    for each in figure.data:
        each.hovertemplate = f"%{{y}}, {each.name}: %{{x:.4f}}{unit}<extra></extra>"
    return style(figure, title, 260 + 45 * len(candidates))


def _candidate(figure: go.Figure, candidate: Mapping[str, Any], *, first: bool) -> None:
    name, values = _name(candidate), list(candidate["values"].values())
    common = {"showlegend": first, "row": 1, "col": 1}
    _marks(figure, values, [name] * len(values), "a seed", {"symbol": "circle-open", "color": GREY, "size": 9}, common)
    look = {"symbol": "x-thin-open", "color": DARK, "size": 10, "line": {"width": 2}}
    _marks(figure, [candidate["sweep_value"]], [name], "in the sweep", look, common)
    if len(values) > 1:
        spread = interval(values)
        look = {"symbol": "diamond", "color": DARK, "size": 10}
        _marks(
            figure, [spread.mean], [name], "mean, 95 % interval", look, {**common, "error_x": {"array": [spread.half]}}
        )


def _marks(
    figure: go.Figure,
    x: Sequence[float],
    y: Sequence[str],
    name: str,
    marker: Mapping[str, Any],
    common: Mapping[str, Any],
) -> None:
    figure.add_scatter(x=x, y=y, mode="markers", marker=marker, name=name, legendgroup=name, **common)


def _lead(
    figure: go.Figure,
    winner: Mapping[str, Any],
    other: Mapping[str, Any],
    tested: Mapping[str, Any] | None,
    sign: int,
) -> None:
    """Draw the lead of the winner over another with each seed and, where it was tested, the interval of its mean."""
    values, best = other["values"], winner["values"]
    apart = [sign * (values[seed] - best[seed]) for seed in values if seed in best]
    name, common = f"over {_name(other)}", {"showlegend": False, "row": 1, "col": 2}
    _marks(figure, apart, [name] * len(apart), "a seed", {"symbol": "circle-open", "color": GREY, "size": 9}, common)
    if tested:
        look, bars = {"symbol": "diamond", "color": DARK, "size": 10}, {"error_x": {"array": [tested["half"]]}}
        label = f"mean lead ± {tested['half']:.4f}"
        _marks(figure, [tested["mean"]], [name], label, look, {**common, **bars})
