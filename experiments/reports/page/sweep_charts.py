"""The figures of a sweep: slices, importance, parallel coordinates, and one framework against the other."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.page.charts import DARK, GREY, log_axis, log_ticks, style
from experiments.system.colours import COLOURS

Trials = Sequence[Mapping[str, Any]]
STATES = {"COMPLETE": ("circle", "complete"), "PRUNED": ("x-thin-open", "pruned"), "FAIL": ("x", "failed")}
DIVERGED = {"symbol": "triangle-up-open", "color": DARK, "size": 11}
OWN = {"symbol": "star", "color": DARK, "size": 15}
# A loss that spans more than this is drawn on a log axis.
WIDE = 10


def slices(sweep: Mapping[str, Any], done: Trials) -> go.Figure:
    """Return the objective against each setting; pruned and diverged trials and the recipe's own are marked."""
    names = list(sweep["space"])
    figure = make_subplots(rows=1, cols=len(names), shared_yaxes=True, horizontal_spacing=0.03)
    colour = COLOURS.get(sweep["backend"], GREY)
    values = [trial["value"] for trial in done]
    edge = (max if sweep["objective"].endswith("loss") else min)(values)
    diverged = [{**trial, "value": edge} for trial in sweep["trials"] if has_diverged(trial)]
    own = [trial for trial in done if trial["own"]]
    unit = unit_of(sweep["objective"])
    for column, name in enumerate(names, 1):
        points: list[go.Scatter] = []
        for state, (symbol, label) in STATES.items():
            chosen = [trial for trial in done if trial["state"] == state and not trial["own"]]
            look = {"symbol": symbol, "color": colour, "size": 9, "line": {"width": 1.5, "color": colour}}
            points += _points(chosen, name, label, look, unit)
        points += _points(diverged, name, "diverged (drawn at the worst value)", DIVERGED, unit)
        points += _points(own, name, "the recipe's own settings", OWN, unit)
        for each in points:
            figure.add_trace(each.update(showlegend=column == 1), row=1, col=column)
        figure.update_xaxes(title_text=name, **_bounds(sweep["space"][name]), col=column)
    figure.update_yaxes(**objective_axis(values))
    figure.update_yaxes(title_text=with_unit(sweep["objective"]), col=1)
    return style(figure, f"{sweep['name']}: the objective against each setting", 430)


def has_diverged(trial: Mapping[str, Any]) -> bool:
    """Return whether a trial ended with a loss that was no number."""
    return trial["state"] == "COMPLETE" and trial["value"] is None


def _bounds(bounds: Mapping[str, Any]) -> dict[str, Any]:
    low, high = bounds["low"], bounds["high"]
    if bounds.get("log"):
        ends = [math.log10(low) - 0.1, math.log10(high) + 0.1]
        return {**log_axis([low, high]), "range": ends}
    space = 0.04 * (high - low)
    return {"range": [low - space, high + space]}


def objective_axis(values: Sequence[float]) -> dict[str, Any]:
    """Return a logarithmic axis where the values span more than a factor of 10."""
    return log_axis(values) if min(values) > 0 and max(values) > WIDE * min(values) else {}


def with_unit(objective: str) -> str:
    """Return the objective as an axis names it."""
    return f"{objective} (nats per image)" if objective.endswith("loss") else f"{objective} (fraction)"


def unit_of(objective: str) -> str:
    """Return what follows a value of the objective."""
    return " nats" if objective.endswith("loss") else " of 1"


def _points(chosen: Trials, name: str, label: str, marker: Mapping[str, Any], unit: str) -> list[go.Scatter]:
    """Return trials as points above their values of a setting; nothing for no trials."""
    if not chosen:
        return []
    return [
        go.Scatter(
            x=[trial["params"][name] for trial in chosen],
            y=[trial["value"] for trial in chosen],
            text=[f"trial {trial['trial']}" for trial in chosen],
            hovertemplate=f"%{{text}}, {label}<br>{name} %{{x:.4g}}<br>objective %{{y:.4f}}{unit}<extra></extra>",
            mode="markers",
            marker=marker,
            name=label,
            legendgroup=label,
        )
    ]


def importance(sweep: Mapping[str, Any]) -> go.Figure:
    """Return the range of each setting's importance over evaluators and seeds, with the median and every value."""
    found = sweep["importance"]
    names = sorted(found["settings"], key=lambda name: found["settings"][name]["median"])
    figure = go.Figure()
    ranges = [found["settings"][name] for name in names]
    figure.add_bar(
        orientation="h",
        y=names,
        base=[each["low"] for each in ranges],
        x=[each["high"] - each["low"] for each in ranges],
        customdata=[[each["low"], each["high"]] for each in ranges],
        hovertemplate="%{y}: %{customdata[0]:.2f} to %{customdata[1]:.2f} of the variation<extra></extra>",
        marker={"color": "#c8c8c8"},
        width=0.5,
        name="lowest to highest",
    )
    look = {"symbol": "line-ns-open", "size": 22, "color": DARK, "line": {"width": 3}}
    medians = [each["median"] for each in ranges]
    hover = "%{y}: median %{x:.2f} of the variation<extra></extra>"
    figure.add_scatter(x=medians, y=names, mode="markers", marker=look, name="median", hovertemplate=hover)
    for symbol, (evaluator, each) in zip(("circle", "diamond", "square"), found["evaluators"].items(), strict=False):
        x, y = zip(*((value, name) for name in names for value in each[name]), strict=True)
        look = {"symbol": f"{symbol}-open", "size": 8, "color": DARK}
        hover = f"%{{y}}: %{{x:.2f}} of the variation<extra>{evaluator}</extra>"
        figure.add_scatter(x=x, y=y, mode="markers", marker=look, name=evaluator, hovertemplate=hover)
    figure.update_xaxes(title_text="share of the variation of the objective", range=[-0.03, 1.03])
    title = f"{sweep['name']}: importance over {len(found['evaluators'])} evaluators and {found['seeds']} seeds"
    return style(figure, f"{title}, {found['trials']} complete trials", 220 + 50 * len(names))


def parallel(sweep: Mapping[str, Any], complete: Trials) -> go.Figure:
    """Return the trials as lines through their settings, which can be brushed; the darkest is the best."""
    objective = sweep["objective"]
    dimensions = [
        _dimension(name, [trial["params"][name] for trial in complete], bool(bounds.get("log")), bounds)
        for name, bounds in sweep["space"].items()
    ]
    values = [trial["value"] for trial in complete]
    wide = min(values) > 0 and max(values) > WIDE * min(values)
    ends = {"low": min(values), "high": max(values)}
    last = _dimension(objective, values, wide, ends)
    colours = {"color": last["values"], "colorscale": "Cividis", "reversescale": objective.endswith("accuracy")}
    figure = go.Figure(go.Parcoords(dimensions=[*dimensions, last], line=colours, labelfont_size=14))
    style(figure, f"{sweep['name']}: each line a trial, the darkest the best; drag along an axis to choose some", 440)
    figure.update_layout(margin={"l": 70, "r": 60, "t": 110, "b": 30})
    return figure


def _dimension(name: str, values: Sequence[float], log: bool, bounds: Mapping[str, Any]) -> dict[str, Any]:
    low, high = bounds["low"], bounds["high"]
    if not log or low == high:
        return {"label": name, "values": values, **({"range": [low, high]} if low < high else {})}
    ticks = log_ticks(low, high)
    axis = {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [f"{tick:g}" for tick in ticks]}
    ends = [math.log10(low), math.log10(high)]
    return {"label": name, "values": [math.log10(value) for value in values], "range": ends, **axis}
