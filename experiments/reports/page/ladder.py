"""The ladder: one small training at every level of both APIs, and what each rung costs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from experiments.reports.made_from import MadeFrom
from experiments.reports.page.charts import DARK, log_ticks, style
from experiments.reports.page.section import Chart, Part, Section, Table, Text
from experiments.system.colours import COLOURS
from experiments.system.files import read_json

COMMAND = "tandem ladder"
# By framework: its colour, its marker, and where it stands on a rung's line, so that none hides another.
LOOKS = {
    "numpy": ("#111111", "diamond", 0.0),
    "lightning": (COLOURS["lightning"], "circle", -0.22),
    "keras": (COLOURS["keras"], "square", 0.22),
}
# Drawn in the place of what is less: 0 has none on a logarithmic axis.
LEAST_SHARE = 1e-4
HEAD = ("rung", "framework", "loss", "float64", "its bound", "float32", "its bound", "as NumPy", "lines of code")
COST = ("steps per second", "first step (ms)")
AS_NUMPY = {"reference": "", "within": "yes", "not within": "NO", "unavailable": "not run"}
Row = Mapping[str, Any]
Value = Callable[[Row], float | None]
# Markers are filled or open.
OPEN = {"float64": "", "float32": "-open"}


@dataclass(frozen=True)
class Dots:
    """What is drawn of a framework's rungs, and what a dot says; what is less than `least` is drawn there."""

    framework: str
    value: Value
    says: str
    precision: str = ""
    least: float = 0.0


def ladder_section(reports: Path) -> Section:
    """Return whether every rung agrees with NumPy, and how fast each is."""
    file = reports / "ladder.json"
    if not file.is_file():
        return Section("ladder", "Ladder", [], COMMAND, answer=f"Not run yet: `{COMMAND}` does.")
    found = read_json(file)
    made_from = MadeFrom(COMMAND, commits=[found["commit"]])
    rows, problem = found["rungs"], found["problem"]
    wrong = [f"{row['rung']} in {row['title']}" for row in rows if _is_off(row)]
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    threads = f"{found['threads']} thread{'s' if found['threads'] > 1 else ''}"
    shape = "×".join(str(problem[name]) for name in ("examples", "inputs", "hidden", "outputs"))
    answer = (
        f"Does every level of both APIs compute the same? {'NO: not ' + ', '.join(wrong) if wrong else 'Yes'}. "
        f"A line, then a net of {shape} (examples×inputs×hidden×outputs): {problem['steps']} steps. "
        f"Times in float32 on {threads}: {versions}."
    )
    notes = [Text(f"{row['rung']} in {row['title']}: {note}.", _is_off(row)) for row in rows for note in row["notes"]]
    parts: list[Part] = [
        *notes,
        Chart(speed_chart(rows), "Steps per second of each rung, in each framework", made_from),
        Chart(first_step_chart(rows), "How long the first step of each rung takes, in each framework", made_from),
        Chart(share_chart(rows), "The largest difference from NumPy, as a share of its bound", made_from),
        Table([*HEAD, *COST], [_cells(row) for row in rows], "Every rung", made_from=made_from),
    ]
    return Section("ladder", "Ladder", parts, COMMAND, answer=answer)


def _is_off(row: Row) -> bool:
    return row["state"] in ("not within", "failed")


def speed_chart(rows: Sequence[Row]) -> go.Figure:
    """Return the steps per second of each rung."""
    every = [Dots(name, lambda row: row["steps_per_second"], "{:,.0f} steps per second") for name in LOOKS]
    return _chart(rows, every, "Steps per second, without the first step", "steps per second")


def first_step_chart(rows: Sequence[Row]) -> go.Figure:
    """Return how long the first step of each rung takes."""
    every = [Dots(name, lambda row: row["first_step_seconds"], "{:.2g} s") for name in LOOKS]
    return _chart(rows, every, "First step, with all that comes before it", "seconds")


def share_chart(rows: Sequence[Row]) -> go.Figure:
    """Return how much of its bound the largest difference of a parameter takes up, in each precision."""
    every = [
        Dots(name, _share(precision), "{:.2g} of the bound", precision, LEAST_SHARE)
        for name in list(LOOKS)[1:]
        for precision in OPEN
    ]
    figure = _chart(
        rows, every, "Difference from NumPy; the dashed line is the bound", "largest difference / its bound"
    )
    drawn = [math.log10(value) for trace in figure.data for value in trace.x]
    figure.update_xaxes(range=[min(drawn, default=0) - 0.2, max([0, *drawn]) + 0.2])
    return figure.add_vline(x=1, line_dash="dash", line_color=DARK)


def _share(precision: str) -> Value:
    def value(row: Row) -> float | None:
        one = row[precision]
        # None stands for what is no number.
        return one["maximum"] / one["bound"] if one and one["bound"] and one["maximum"] is not None else None

    return value


def _chart(rows: Sequence[Row], every: Sequence[Dots], title: str, unit: str) -> go.Figure:
    """Return a line for each rung, with dots on a logarithmic axis."""
    figure, rungs = go.Figure(), list(dict.fromkeys(row["rung"] for row in rows))
    for dots in every:
        _draw(figure, dots, rows, rungs)
    values, least = [value for trace in figure.data for value in trace.x], {dots.least for dots in every}
    ticks = log_ticks(min(values, default=0.1), max(values, default=1))
    texts = [f"{'≤ ' if tick in least else ''}{tick:g}" for tick in ticks]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=texts, title_text=unit)
    figure.update_yaxes(
        tickvals=list(range(len(rungs))), ticktext=rungs, range=[len(rungs) - 0.5, -0.5], zeroline=False, showgrid=False
    )
    for place in range(1, len(rungs)):
        figure.add_hline(y=place - 0.5, line_color="#e5e5e5", line_width=1)
    return style(figure, title, 200 + 34 * len(rungs))


def _draw(figure: go.Figure, dots: Dots, rows: Sequence[Row], rungs: Sequence[str]) -> None:
    shown = [
        (row, value) for row in rows if row["framework"] == dots.framework and (value := dots.value(row)) is not None
    ]
    if not shown:
        return
    colour, symbol, beside = LOOKS[dots.framework]
    title, suffix = shown[0][0]["title"], OPEN.get(dots.precision, "")
    figure.add_scatter(
        x=[max(value, dots.least) for _, value in shown],
        y=[rungs.index(row["rung"]) + beside for row, _ in shown],
        mode="markers",
        marker={"color": colour, "symbol": symbol + suffix, "size": 10, "line": {"width": 2 if suffix else 0}},
        name=", ".join(filter(None, (title, dots.precision))),
        hovertext=[f"{row['rung']}, {title}: {dots.says.format(value)}" for row, value in shown],
        hoverinfo="text",
    )


def _cells(row: Row) -> list[str]:
    apart = [
        _number(row[kind] and row[kind][which], ".1e")
        for kind in ("float64", "float32")
        for which in ("maximum", "bound")
    ]
    return [
        row["rung"],
        row["title"],
        _number(row["loss"], ".4g"),
        *apart,
        AS_NUMPY.get(row["state"], row["state"]),
        _number(row["lines"], "d"),
        _number(row["steps_per_second"], ",.0f"),
        _number(row["first_step_seconds"] and 1000 * row["first_step_seconds"], ",.1f"),
    ]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form) if value else "0"
