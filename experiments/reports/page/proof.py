"""Parity against its bounds, and published figures beside ours: what other commands have left in reports/."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.intervals import interval
from experiments.reports.made_from import MadeFrom, read_made_from
from experiments.reports.page.charts import DARK, log_ticks, style
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Part, Section, Table
from experiments.system.colours import COLOURS
from experiments.system.files import read_json

SYMBOLS = {"sgd": "circle", "adam": "diamond"}
OPTIMISERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
GREYS = {"float32": "#9a9a9a", "float64": "#111111"}
METRICS = {"accuracy": ("accuracy (%)", 100, "%{y:.2f} %"), "loss": ("loss (nats per image)", 1, "%{y:.4f} nats")}
NUMBERS = ("optimiser", "precision", "difference", "its bound", "of what", "within")
HEAD = ("architecture", "parameters", *NUMBERS)


def _read(file: Path) -> dict[str, Any] | None:
    return read_json(file) if file.is_file() else None


def parity_section(reports: Path, key: str = "parity", title: str = "Parity") -> Section:
    """Return how far the twins' largest differences are from their bounds."""
    found = _read(reports / "parity.json")
    if found is None:
        return Section(key, title, [], "tandem parity", answer="Not measured yet: `tandem parity` does.")
    architectures = found["architectures"]
    digest = hashlib.sha256(json.dumps(found["protocol"], sort_keys=True).encode()).hexdigest()[:8]
    commits = [found["commit"]] if "commit" in found else []
    origin = MadeFrom("tandem parity", commits=commits, settings=[digest])
    rows = [
        [each["architecture"], f"{each['parameters']:,}", *_numbers(training)]
        for each in architectures
        for training in each["trainings"]
    ]
    parts: list[Part] = [
        Chart(parity_chart(architectures), "The largest difference of each training, as a share of its bound", origin),
        Table(HEAD, rows, "Each training: the difference that is closest to its bound", folded=True, made_from=origin),
    ]
    if settings := found.get("settings"):
        rows = [[each["setting"], *_numbers(training)] for each in settings for training in each["trainings"]]
        parts.append(Table(("setting", *NUMBERS), rows, "The same of each setting", folded=True, made_from=origin))
    names = ", ".join(each["architecture"] for each in architectures)
    same = "Yes: every difference in loss, gradient and parameter is within what rounding explains"
    answer = same if found["passed"] else "NO: some difference is larger than rounding explains"
    answer = f"Are the two implementations the same network, trained the same way? {answer} ({names})."
    return Section(key, title, parts, "tandem parity", answer=answer)


def _numbers(training: Mapping[str, Any]) -> list[str]:
    return [
        OPTIMISERS.get(training["optimiser"], training["optimiser"]),
        training["precision"],
        f"{training['maximum']:.1e}" if training["maximum"] is not None else "not a number",
        f"{training['bound']:.1e}" if training["bound"] is not None else "–",
        training["closest"],
        "yes" if training["passed"] else "NO",
    ]


def parity_chart(architectures: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return the largest share of its bound that any difference takes up, by training."""
    figure = go.Figure()
    every: list[float] = []
    for optimiser, symbol in SYMBOLS.items():
        for precision, grey in GREYS.items():
            trainings = [
                (each["architecture"], training["maximum"] / training["bound"])
                for each in architectures
                for training in each["trainings"]
                if (training["optimiser"], training["precision"]) == (optimiser, precision)
                and training["maximum"]
                and training["bound"]
            ]
            if not trainings:
                continue
            names, shares = zip(*trainings, strict=True)
            every += shares
            marker, name = {"symbol": symbol, "color": grey, "size": 12}, f"{OPTIMISERS[optimiser]}, {precision}"
            hover = f"%{{y}}, {name}: %{{x:.2g}} of the bound<extra></extra>"
            figure.add_scatter(x=shares, y=names, mode="markers", marker=marker, name=name, hovertemplate=hover)
    figure.add_vline(x=1, line_dash="dash", line_color=DARK)
    # On a log axis, Plotly wants the logarithm.
    figure.add_annotation(x=0, y=1, yref="paper", text="bound", showarrow=False, xanchor="right", xshift=-6)
    ticks = log_ticks(min(every, default=0.1), max([1.0, *every]))
    axis = {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    axis["range"] = [math.log10(min([0.5, *every])) - 0.15, math.log10(max([1.0, *every])) + 0.15]
    figure.update_xaxes(title_text="largest difference / its bound", **axis)
    return style(figure, "How much of its bound the largest difference takes up", 220 + 36 * len(architectures))


def published_section(reports: Path) -> Section:
    """Return published figures as marks beside our intervals."""
    found = _read(reports / "published.json")
    if found is None:
        answer = "Not trained yet: `tandem published` does."
        return Section("published", "Published results", [], "tandem published", answer=answer)
    origin = read_made_from("tandem published", found.get("made_from", {}))
    shown = [each for each in found["recipes"] if each["rows"]]
    parts = [Chart(published_chart(each), f"Published and our results of {each['recipe']}", origin) for each in shown]
    answer = (
        f"Do the recipes reproduce what was published? Ours: mean and 95 % interval over {len(found['seeds'])} seeds "
        f"on {found['dataset']}. Published: one run of an unknown seed."
    )
    return Section("published", "Published results", parts, "tandem published", answer=answer)


def published_chart(entry: Mapping[str, Any]) -> go.Figure:
    """Return a panel for each metric of a recipe, against the epoch."""
    metrics = list(dict.fromkeys(row["metric"] for row in entry["rows"]))
    titles = [f"{metric.split('/')[0]}: {METRICS[metric.split('/')[1]][0]}" for metric in metrics]
    figure = make_subplots(rows=1, cols=len(metrics), subplot_titles=titles, horizontal_spacing=0.08)
    for column, metric in enumerate(metrics, 1):
        _panel(figure, column, metric, [row for row in entry["rows"] if row["metric"] == metric])
    figure.update_xaxes(title_text="epoch", dtick=1)
    return style(figure, entry["recipe"], 430)


def _panel(figure: go.Figure, column: int, metric: str, rows: Sequence[Mapping[str, Any]]) -> None:
    _, scale, value = METRICS[metric.split("/")[1]]
    epochs = [row["epoch"] for row in rows]
    common = {"mode": "markers", "showlegend": column == 1, "row": 1, "col": column}
    for place, backend in enumerate(COLOURS):
        spreads = [interval([scale * each for each in row["ours"][backend]]) for row in rows]
        name = name_of(backend)
        figure.add_scatter(
            x=[epoch + 0.12 * (place - 0.5) for epoch in epochs],
            y=[spread.mean for spread in spreads],
            error_y={"array": [spread.half for spread in spreads]},
            customdata=[[epoch, spread.half] for epoch, spread in zip(epochs, spreads, strict=True)],
            name=name,
            legendgroup=name,
            hovertemplate=f"{name}, epoch %{{customdata[0]}}: {value} ± %{{customdata[1]:.2g}}<extra></extra>",
            marker={"color": COLOURS[backend], "size": 8},
            **common,
        )
    known = [(row["epoch"], scale * row["published"]) for row in rows if row["published"] is not None]
    if known:
        x, y = zip(*known, strict=True)
        marker = {"symbol": "line-ew-open", "size": 26, "color": "#111111", "line": {"width": 2}}
        hover = f"published, epoch %{{x}}: {value}<extra></extra>"
        group = {"name": "published", "legendgroup": "published"}
        figure.add_scatter(x=x, y=y, marker=marker, hovertemplate=hover, **group, **common)
