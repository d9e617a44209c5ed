"""Learning curves: colour is the framework, line style the split; and the signed difference of the losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.intervals import interval
from experiments.reports.page.charts import DARK, log_axis, style
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Section
from experiments.reports.page.source import Pairs, Source
from experiments.reports.plots import SPLIT_NAMES, WIDTHS
from experiments.system.colours import COLOURS

DASHES = {"train": "solid", "val": "dash", "test": "dot"}
SYMBOLS = {"train": "circle", "val": "square", "test": "triangle-up"}
LOSS, ERROR, APART = "loss (nats per image)", "error (% of the images)", "loss: {second} minus {first} (nats)"


@dataclass(frozen=True)
class Curve:
    """A value after each epoch that every run has: the mean over the seeds, and half of its 95 % interval."""

    epochs: Sequence[float]
    means: Sequence[float]
    halves: Sequence[float]


def curves_section(source: Source) -> Section:
    """Return the curves of each recipe: the mean over the seeds."""
    parts = [Chart(curves(pairs), _says(pairs), pairs.made_from) for pairs in source.pairs]
    paired = len(source.pairs[0].backends) == 2
    alike = (
        "Do the two learn alike? The wide line is Lightning's, the thin one on it Keras's; where they coincide, the "
        "last panel has their difference, with its sign."
    )
    band = " The band there is its 95 % interval over the seeds." if len(source.pairs[0].by_seed) > 1 else ""
    answer = alike + band if paired else "Loss and error after each epoch."
    return Section("curves", "Learning curves", parts, answer=answer)


def _says(pairs: Pairs) -> str:
    return f"Loss, error and the difference of the losses of {pairs.recipe} after each epoch"


def curves(pairs: Pairs) -> go.Figure:
    """Return loss and error against the epoch and, for a pair, the difference with its band over the seeds."""
    first, second = (name_of(pairs.backends[0]), name_of(pairs.backends[-1]))
    titles = [LOSS, ERROR, APART.format(first=first, second=second)][: 1 + len(pairs.backends)]
    figure = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.07)
    for column, (metric, unit) in enumerate((("loss", "nats"), ("accuracy", "%")), 1):
        shown: list[float] = []
        for backend in pairs.backends:
            for split in DASHES:
                curve = curve_of([_column(pairs, backend, f"{split}/{metric}")])
                shown += _draw(figure, column, backend, split, curve, unit)
        figure.update_yaxes(**log_axis(shown), col=column)
    for split in DASHES if len(titles) == 3 else ():
        columns = [_column(pairs, backend, f"{split}/loss") for backend in pairs.backends]
        _draw_difference(figure, split, curve_of(columns))
    last = max(len(run.history) for runs in pairs.by_seed.values() for run in runs.values())
    figure.update_xaxes(title_text="epoch", dtick=max(1, -(-last // 8)))
    count = len(pairs.by_seed)
    seeds = f"mean of {count} seeds" if count > 1 else f"seed {next(iter(pairs.by_seed))}"
    figure.update_layout(hovermode="x unified")
    return style(figure, f"{pairs.recipe}, {seeds}", 420)


Values = Sequence[Mapping[float, float]]


def _column(pairs: Pairs, backend: str, metric: str) -> Values:
    """Return a metric by epoch, for each seed; an error in per cent in place of an accuracy."""
    histories = [runs[backend].history for runs in pairs.by_seed.values()]
    error = metric.endswith("accuracy")
    return [
        {row["epoch"]: 100 * (1 - row[metric]) if error else row[metric] for row in history if metric in row}
        for history in histories
    ]


def curve_of(columns: Sequence[Values]) -> Curve:
    """Return the curve of one column, or that of the second minus the first."""
    shared = set.intersection(*(set(of_seed) for column in columns for of_seed in column))
    epochs = sorted(shared)
    by_epoch = []
    for epoch in epochs:
        values = [[of_seed[epoch] for of_seed in column] for column in columns]
        by_epoch.append([b - a for a, b in zip(*values, strict=True)] if len(columns) == 2 else values[0])
    halves = [interval(values).half for values in by_epoch] if by_epoch and len(by_epoch[0]) > 1 else []
    return Curve(epochs, [fmean(values) for values in by_epoch], halves)


def _draw(figure: go.Figure, column: int, backend: str, split: str, curve: Curve, unit: str) -> Sequence[float]:
    if not curve.epochs:
        return []
    digits = ".4f" if unit == "nats" else ".2f"
    figure.add_scatter(
        x=curve.epochs,
        y=curve.means,
        name=f"{name_of(backend)}, {SPLIT_NAMES[split]}",
        legendgroup=f"{backend} {split}",
        showlegend=column == 1,
        hovertemplate=f"%{{y:{digits}}} {unit}",
        mode="lines+markers",
        line={"color": COLOURS[backend], "dash": DASHES[split], "width": WIDTHS[backend]},
        marker={"symbol": SYMBOLS[split], "size": WIDTHS[backend] + 4},
        row=1,
        col=column,
    )
    return curve.means


def _draw_difference(figure: go.Figure, split: str, curve: Curve) -> None:
    if not curve.epochs:
        return
    epochs, common = list(curve.epochs), {"showlegend": False, "row": 1, "col": 3}
    if curve.halves:
        around = list(zip(curve.means, curve.halves, strict=True))
        edge = [mean + half for mean, half in around] + [mean - half for mean, half in reversed(around)]
        band = {"x": epochs + epochs[::-1], "y": edge, "fill": "toself", "mode": "none"}
        figure.add_scatter(**band, fillcolor="rgba(68,68,68,0.15)", hoverinfo="skip", **common)
    figure.add_scatter(
        x=epochs,
        y=curve.means,
        customdata=[f" ± {half:.2g}" for half in curve.halves] or [""] * len(epochs),
        name=f"difference, {SPLIT_NAMES[split]}",
        hovertemplate="%{y:+.2e}%{customdata} nats",
        mode="lines+markers",
        line={"color": DARK, "dash": DASHES[split], "width": 2},
        marker={"symbol": SYMBOLS[split], "size": 7},
        **common,
    )
    figure.update_yaxes(exponentformat="power", zeroline=True, zerolinecolor="#888888", col=3)
