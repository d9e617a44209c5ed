"""Parity against its bounds, and published figures beside ours: what other commands have left in reports/."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.intervals import interval
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Part, Section, Table, Text
from experiments.system.colours import COLOURS
from experiments.system.files import read_json

SYMBOLS = {"sgd": "circle", "adam": "diamond"}
OPTIMISERS = {"sgd": "SGD", "adam": "Adam"}
GREYS = {"float32": "#9a9a9a", "float64": "#111111"}
METRICS = {"accuracy": ("accuracy (%)", 100), "loss": ("cross-entropy per image (nats)", 1)}


def _read(file: Path) -> dict[str, Any] | None:
    return read_json(file) if file.is_file() else None


def parity_section(reports: Path) -> Section:
    """Return how far the twins' largest differences are from their bounds."""
    found = _read(reports / "parity.json")
    if found is None:
        return Section("parity", "Parity", [Text("Not measured yet.")], "tandem parity")
    architectures = found["architectures"]
    rows = [
        [
            each["architecture"],
            f"{each['parameters']:,}",
            training["optimiser"],
            training["precision"],
            f"{training['maximum']:.1e}" if training["maximum"] is not None else "not a number",
            f"{training['bound']:.1e}" if training["bound"] is not None else "",
            training["closest"],
            "yes" if training["passed"] else "NO",
        ]
        for each in architectures
        for training in each["trainings"]
    ]
    head = ("architecture", "parameters", "optimiser", "precision", "difference", "its bound", "of what", "within")
    parts: list[Part] = [
        Text(
            "The two implementations are the same network, trained the same way."
            if found["passed"]
            else "The two implementations of some network are not the same.",
            loud=not found["passed"],
        ),
        Chart(parity_chart(architectures)),
        Table(head, rows, "Each training: the difference that is closest to its bound", folded=True),
    ]
    return Section("parity", "Parity", parts, "tandem parity")


def parity_chart(architectures: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return the largest share of its bound that any difference takes up, by training."""
    figure = go.Figure()
    for optimiser, symbol in SYMBOLS.items():
        for precision, grey in GREYS.items():
            trainings = [
                (each["architecture"], training["maximum"] / training["bound"])
                for each in architectures
                for training in each["trainings"]
                if (training["optimiser"], training["precision"]) == (optimiser, precision)
                and training["maximum"] is not None
                and training["bound"]
            ]
            if trainings:
                names, shares = zip(*trainings, strict=True)
                marker = {"symbol": symbol, "color": grey, "size": 11}
                figure.add_scatter(
                    x=shares, y=names, mode="markers", marker=marker, name=f"{OPTIMISERS[optimiser]}, {precision}"
                )
    figure.add_vline(x=1, line_dash="dash")
    # On a log axis, Plotly wants the logarithm.
    figure.add_annotation(x=0, y=1, yref="paper", text="bound", showarrow=False, xanchor="left", yanchor="bottom")
    figure.update_xaxes(title_text="largest difference / its bound", type="log")
    layout = {"height": 160 + 40 * len(architectures), "margin": {"l": 10, "r": 20, "t": 30, "b": 40}}
    figure.update_layout(template="plotly_white", legend={"orientation": "h", "y": -0.3}, **layout)
    figure.update_yaxes(automargin=True)
    return figure


def published_section(reports: Path) -> Section:
    """Return published figures as marks beside our intervals."""
    found = _read(reports / "published.json")
    if found is None:
        return Section("published", "Published results", [Text("Not trained yet.")], "tandem published")
    count = len(found["seeds"])
    parts: list[Part] = [
        Text(f"Ours: mean and 95 % interval over {count} seeds. Published: one run of an unknown seed.")
    ]
    parts += [Chart(published_chart(each)) for each in found["recipes"] if each["rows"]]
    return Section("published", "Published results", parts, "tandem published")


def published_chart(entry: Mapping[str, Any]) -> go.Figure:
    """Return a panel for each metric of a recipe, against the epoch."""
    metrics = list(dict.fromkeys(row["metric"] for row in entry["rows"]))
    titles = [f"{metric.split('/')[0]}: {METRICS[metric.split('/')[1]][0]}" for metric in metrics]
    figure = make_subplots(rows=1, cols=len(metrics), subplot_titles=titles, horizontal_spacing=0.08)
    for column, metric in enumerate(metrics, 1):
        rows, scale = [row for row in entry["rows"] if row["metric"] == metric], METRICS[metric.split("/")[1]][1]
        epochs = [row["epoch"] for row in rows]
        common = {"mode": "markers", "showlegend": column == 1, "row": 1, "col": column}
        for place, backend in enumerate(COLOURS):
            spreads = [interval([scale * value for value in row["ours"][backend]]) for row in rows]
            figure.add_scatter(
                x=[epoch + 0.12 * (place - 0.5) for epoch in epochs],
                y=[spread.mean for spread in spreads],
                error_y={"array": [spread.half for spread in spreads]},
                name=name_of(backend),
                marker={"color": COLOURS[backend], "size": 8},
                **common,
            )
        known = [(row["epoch"], scale * row["published"]) for row in rows if row["published"] is not None]
        if known:
            x, y = zip(*known, strict=True)
            marker = {"symbol": "line-ew-open", "size": 26, "color": "#111111", "line": {"width": 2}}
            figure.add_scatter(x=x, y=y, name="published", marker=marker, **common)
    figure.update_xaxes(title_text="epoch", dtick=1)
    legend = {"orientation": "h", "y": -0.2}
    figure.update_layout(title=entry["recipe"], template="plotly_white", height=400, legend=legend)
    return figure
