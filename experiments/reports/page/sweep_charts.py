"""The figures of a sweep: slices and importance."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.page.charts import DARK, GREY, log_axis, style
from experiments.settings.tuned import shown
from experiments.system.colours import COLOURS

Trials = Sequence[Mapping[str, Any]]
STATES = {"COMPLETE": ("circle", "complete"), "PRUNED": ("x-thin-open", "pruned"), "FAIL": ("x", "failed")}
DIVERGED = {"symbol": "triangle-up-open", "color": DARK, "size": 11}
OWN = {"symbol": "star", "color": DARK, "size": 15}
# So many settings are beside each other.
COLUMNS = 3
# A loss that spans more than this is drawn on a log axis.
WIDE = 10


def slices(sweep: Mapping[str, Any], done: Trials) -> go.Figure:
    """Return the objective against each setting; pruned and diverged trials and the recipe's own are marked."""
    names = list(sweep["space"])
    columns = min(len(names), COLUMNS)
    rows = math.ceil(len(names) / columns)
    cells: list[dict[str, Any] | None] = [{} if place < len(names) else None for place in range(rows * columns)]
    specs = [cells[row * columns : (row + 1) * columns] for row in range(rows)]
    grid = {"specs": specs, "shared_yaxes": "all", "horizontal_spacing": 0.03}
    figure = make_subplots(rows=rows, cols=columns, **grid)
    colour = COLOURS.get(sweep["backend"], GREY)
    values = [trial["value"] for trial in done]
    edge = (max if sweep["objective"].endswith("loss") else min)(values)
    diverged = [{**trial, "value": edge} for trial in sweep["trials"] if has_diverged(trial)]
    own = [trial for trial in done if trial["own"]]
    unit, listed = unit_of(sweep["objective"]), set[str]()
    for number, name in enumerate(names):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        points: list[go.Scatter] = []
        choices = sweep["space"][name].get("choices")
        for state, (symbol, label) in STATES.items():
            chosen = [trial for trial in done if trial["state"] == state and not trial["own"]]
            look = {"symbol": symbol, "color": colour, "size": 9, "line": {"width": 1.5, "color": colour}}
            points += _points(chosen, name, label, look, unit)
        points += _points(diverged, name, "diverged (drawn at the worst value)", DIVERGED, unit)
        points += _points(own, name, "the recipe's own settings", OWN, unit)
        for each in points:
            if choices:
                each.x = names_of(each.x)
            figure.add_trace(each.update(showlegend=each.name not in listed), **place)
            listed.add(each.name)
        figure.update_xaxes(title_text=_title(name, sweep["space"][name]), **_axis(sweep["space"][name]), **place)
    figure.update_yaxes(**objective_axis(values))
    figure.update_yaxes(title_text=with_unit(sweep["objective"]), col=1)
    return style(figure, f"{sweep['name']}: the objective against each setting", 130 + 300 * rows)


def has_diverged(trial: Mapping[str, Any]) -> bool:
    """Return whether a trial ended with a loss that was no number."""
    return trial["state"] == "COMPLETE" and trial["value"] is None


def _title(name: str, space: Mapping[str, Any]) -> str:
    """Return what an axis is called: a setting, and below it on which others it depends."""
    when = [f"{other} {' or '.join(map(shown, values))}" for other, values in space.get("when", {}).items()]
    return f"{name}<br><span style='font-size:11px'>with {', '.join(when)}</span>" if when else name


def _axis(space: Mapping[str, Any]) -> dict[str, Any]:
    if choices := space.get("choices"):
        ends = [-0.5, len(choices) - 0.5]
        return {"type": "category", "categoryorder": "array", "categoryarray": names_of(choices), "range": ends}
    low, high = space["low"], space["high"]
    if space.get("log"):
        ends = [math.log10(low) - 0.1, math.log10(high) + 0.1]
        return {**log_axis([low, high]), "range": ends}
    gap = 0.04 * (high - low)
    return {"range": [low - gap, high + gap]}


def names_of(choices: Sequence[Any]) -> list[str]:
    """Return choices as texts: their axis has names, not numbers."""
    return [shown(choice) for choice in choices]


def objective_axis(values: Sequence[float]) -> dict[str, Any]:
    """Return a logarithmic axis where the values span more than a factor of 10."""
    return log_axis(values) if min(values) > 0 and max(values) > WIDE * min(values) else {}


def with_unit(objective: str) -> str:
    """Return the objective as an axis names it."""
    return f"{objective} (nats per image)" if objective.endswith("loss") else f"{objective} (fraction)"


def unit_of(objective: str) -> str:
    """Return what follows a value of the objective."""
    return " nats" if objective.endswith("loss") else " of 1"


def _points(trials: Trials, name: str, label: str, marker: Mapping[str, Any], unit: str) -> list[go.Scatter]:
    """Return trials as points above their values of a setting; nothing for no trials that have it."""
    chosen = [trial for trial in trials if name in trial["params"]]
    if not chosen:
        return []
    values = [trial["params"][name] for trial in chosen]
    return [
        go.Scatter(
            x=values,
            y=[trial["value"] for trial in chosen],
            text=[f"trial {trial['trial']}, {label}<br>{name} {shown(trial['params'][name])}" for trial in chosen],
            hovertemplate=f"%{{text}}<br>objective %{{y:.4f}}{unit}<extra></extra>",
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
        points = [(value, name) for name in names for value in each.get(name, [])]
        x, y = zip(*points, strict=True) if points else ((), ())
        look = {"symbol": f"{symbol}-open", "size": 8, "color": DARK}
        hover = f"%{{y}}: %{{x:.2f}} of the variation<extra>{evaluator}</extra>"
        figure.add_scatter(x=x, y=y, mode="markers", marker=look, name=evaluator, hovertemplate=hover)
    figure.update_xaxes(title_text="share of the variation of the objective", range=[-0.03, 1.03])
    title = f"{sweep['name']}: importance over {len(found['evaluators'])} evaluators and {found['seeds']} seeds"
    return style(figure, f"{title}, {found['trials']} complete trials", 220 + 50 * len(names))
