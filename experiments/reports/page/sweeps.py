"""The sweeps whose report or confirmation has been written: what their trials show."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.intervals import interval
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Part, Section, Table, Text
from experiments.system.colours import COLOURS
from experiments.system.files import read_json

# What `tandem sweep report` leaves for the page.
SWEEP = "sweep.json"
STATES = {"COMPLETE": ("circle", "complete"), "PRUNED": ("x-thin-open", "pruned"), "FAIL": ("x", "failed")}
GREY = "#666666"


def sweeps_section(reports: Path) -> Section:
    """Return each sweep: slices, parallel coordinates, trials, confirmations."""
    parts: list[Part] = []
    for file in sorted((reports / "sweeps").glob(f"*/{SWEEP}")):
        parts += _of(read_json(file), file.parent)
    if not parts:
        parts.append(Text("No sweep has a report yet."))
    return Section("sweeps", "Sweeps", parts, "tandem sweep report NAME")


def _of(sweep: Mapping[str, Any], folder: Path) -> list[Part]:
    done = [trial for trial in sweep["trials"] if trial["value"] is not None and math.isfinite(trial["value"])]
    complete = [trial for trial in done if trial["state"] == "COMPLETE"]
    counts = {state: sum(trial["state"] == state for trial in sweep["trials"]) for state in STATES}
    summary = ", ".join(f"{count} {STATES[state][1]}" for state, count in counts.items() if count)
    what = f"recipe {sweep['recipe']}, {sweep['objective']}, {sweep['epochs']} epoch(s) a trial"
    parts: list[Part] = [Text(f"{sweep['name']}: {what}; {summary}.")]
    if done:
        parts.append(Chart(slices(sweep, done)))
    if len(complete) > 1:
        parts.append(Chart(parallel(sweep, complete)))
    if sweep["backends"] and len(complete) > 1:
        parts.append(Chart(pair_differences(sweep, complete)))
    parts.append(_trials(sweep))
    parts += [_confirmation(read_json(file)) for file in sorted(folder.glob("confirm-*.json"))]
    return parts


def slices(sweep: Mapping[str, Any], done: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return the objective against each setting; pruned trials and the recipe's own settings are marked."""
    names = list(sweep["space"])
    figure = make_subplots(rows=1, cols=len(names), subplot_titles=names, shared_yaxes=True, horizontal_spacing=0.03)
    colour = COLOURS.get(sweep["backend"], GREY)
    for column, name in enumerate(names, 1):
        for state, (symbol, label) in STATES.items():
            chosen = [trial for trial in done if trial["state"] == state and not trial["own"]]
            _points(figure, column, chosen, name, label, {"symbol": symbol, "color": colour, "size": 8})
        own = [trial for trial in done if trial["own"]]
        marker = {"symbol": "star", "color": "#111111", "size": 14}
        _points(figure, column, own, name, "the recipe's own settings", marker)
        figure.update_xaxes(type="log" if sweep["space"][name].get("log") else "linear", col=column)
    figure.update_yaxes(title_text=sweep["objective"], col=1)
    legend = {"orientation": "h", "y": -0.15}
    figure.update_layout(title=sweep["name"], template="plotly_white", height=400, legend=legend)
    return figure


def _points(
    figure: go.Figure,
    column: int,
    chosen: Sequence[Mapping[str, Any]],
    name: str,
    label: str,
    marker: Mapping[str, Any],
) -> None:
    if chosen:
        figure.add_scatter(
            x=[trial["params"][name] for trial in chosen],
            y=[trial["value"] for trial in chosen],
            text=[f"trial {trial['trial']}" for trial in chosen],
            mode="markers",
            marker=marker,
            name=label,
            legendgroup=label,
            showlegend=column == 1,
            row=1,
            col=column,
        )


def parallel(sweep: Mapping[str, Any], complete: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return the trials as lines through their settings, which can be brushed; the darkest is the best."""
    dimensions = []
    for name, bounds in sweep["space"].items():
        values = [trial["params"][name] for trial in complete]
        if bounds.get("log"):
            low, high = math.floor(math.log10(bounds["low"])), math.ceil(math.log10(bounds["high"]))
            ticks = list(range(low, high + 1))
            axis = {"tickvals": ticks, "ticktext": [f"{10.0**tick:g}" for tick in ticks]}
            dimensions.append({"label": name, "values": [math.log10(value) for value in values], **axis})
        else:
            dimensions.append({"label": name, "values": values})
    objective = [trial["value"] for trial in complete]
    dimensions.append({"label": sweep["objective"], "values": objective})
    line = {"color": objective, "colorscale": "Cividis", "reversescale": sweep["objective"].endswith("accuracy")}
    figure = go.Figure(go.Parcoords(dimensions=dimensions, line=line))
    figure.update_layout(template="plotly_white", height=380, margin={"l": 60, "r": 60, "t": 60, "b": 30})
    return figure


def pair_differences(sweep: Mapping[str, Any], complete: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return the second framework's objective minus the first's, against the mean of the two."""
    first, second = sweep["backends"]
    both = [(trial["trial"], trial["of"][first], trial["of"][second]) for trial in complete if len(trial["of"]) == 2]
    figure = go.Figure()
    figure.add_scatter(
        x=[fmean(values) for _, *values in both],
        y=[b - a for _, a, b in both],
        text=[f"trial {number}" for number, *_ in both],
        mode="markers",
        marker={"color": GREY, "size": 9},
    )
    figure.add_hline(y=0, line_width=1)
    figure.update_xaxes(title_text=f"mean {sweep['objective']} of the two")
    figure.update_yaxes(title_text=f"{name_of(second)} minus {name_of(first)}")
    figure.update_layout(title=f"{sweep['name']}: the two frameworks", template="plotly_white", height=360)
    return figure


def _trials(sweep: Mapping[str, Any]) -> Table:
    names, backends = list(sweep["space"]), list(sweep["backends"])
    rows = [
        [
            f"{trial['trial']}{', own settings' if trial['own'] else ''}",
            STATES.get(trial["state"], ("", trial["state"].lower()))[1],
            *(f"{trial['params'][name]:.4g}" if name in trial["params"] else "" for name in names),
            *(f"{trial['of'][backend]:.4f}" if trial["of"].get(backend) is not None else "" for backend in backends),
            f"{trial['value']:.4f}" if trial["value"] is not None else "",
            trial["reason"],
        ]
        for trial in sweep["trials"]
    ]
    head = ["trial", "state", *names, *map(name_of, backends), sweep["objective"], "why it failed"]
    return Table(head, rows, f"{sweep['name']}: all {len(rows)} trials", folded=True)


def _confirmation(found: Mapping[str, Any]) -> Table:
    rows = []
    for candidate in found["candidates"]:
        values = list(candidate["values"].values())
        spread = interval(values) if len(values) > 1 else None
        text = f"{spread.mean:.4f} ± {spread.half:.4f}" if spread else ""
        name = f"{candidate['trial']}{', own settings' if candidate['own'] else ''}"
        rows.append([name, f"{candidate['sweep_value']:.4f}", text, str(len(values))])
    head = ["trial", f"{found['objective']} in the sweep", "with fresh seeds", "seeds"]
    verdicts = " ".join(found["verdicts"]).replace("**", "")
    return Table(head, rows, f"{found['study']}, confirmed over {found['epochs']} epoch(s): {verdicts}")
