"""Learning curves: colour is the framework, line style the split; and the signed difference of the losses."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.intervals import interval
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Section
from experiments.reports.page.source import Pairs, Source
from experiments.reports.plots import SPLIT_NAMES, WIDTHS
from experiments.system.colours import COLOURS

DASHES = {"train": "solid", "val": "dash", "test": "dot"}
SYMBOLS = {"train": "circle", "val": "square", "test": "triangle-up"}
PANELS = ("cross-entropy per image (nats)", "error (%)", "loss of {second} minus loss of {first} (nats)")


def curves_section(source: Source) -> Section:
    """Return the curves of each recipe: the mean over the seeds."""
    return Section("curves", "Learning curves", [Chart(curves(pairs)) for pairs in source.pairs])


def curves(pairs: Pairs) -> go.Figure:
    """Return loss and error against the epoch and, for a pair, the difference with its band over the seeds."""
    paired = len(pairs.backends) == 2
    first, second = (name_of(pairs.backends[0]), name_of(pairs.backends[-1]))
    titles = [title.format(first=first, second=second) for title in PANELS[: 3 if paired else 2]]
    figure = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.07)
    for backend in pairs.backends:
        for split in DASHES:
            _draw(figure, pairs, backend, split)
    for split in DASHES if paired else ():
        _draw_difference(figure, pairs, split)
    figure.update_xaxes(title_text="epoch", dtick=max(1, _epochs(pairs) // 8))
    figure.update_yaxes(type="log", col=1)
    figure.update_yaxes(type="log", col=2)
    seeds = len(pairs.by_seed)
    figure.update_layout(
        title=f"{pairs.recipe}, {f'mean of {seeds} seeds' if seeds > 1 else f'seed {next(iter(pairs.by_seed))}'}",
        template="plotly_white",
        height=420,
        legend={"orientation": "h", "y": -0.2},
        margin={"l": 50, "r": 20, "t": 80, "b": 40},
    )
    return figure


def _epochs(pairs: Pairs) -> int:
    return max(len(run.history) for runs in pairs.by_seed.values() for run in runs.values())


def _means(pairs: Pairs, backend: str, metric: str) -> tuple[list[float], list[float]]:
    histories = [runs[backend].history for runs in pairs.by_seed.values()]
    rows = [
        (each[0]["epoch"], [row[metric] for row in each]) for each in zip(*histories, strict=True) if _has(each, metric)
    ]
    return [epoch for epoch, _ in rows], [fmean(values) for _, values in rows]


def _has(rows: Sequence[Mapping[str, float]], metric: str) -> bool:
    return all(metric in row for row in rows)


def _draw(figure: go.Figure, pairs: Pairs, backend: str, split: str) -> None:
    for column, metric in enumerate((f"{split}/loss", f"{split}/accuracy"), 1):
        epochs, values = _means(pairs, backend, metric)
        if not epochs:
            continue
        shown = values if column == 1 else [100 * (1 - value) for value in values]
        line = {"color": COLOURS[backend], "dash": DASHES[split], "width": WIDTHS[backend]}
        figure.add_scatter(
            x=epochs,
            y=shown,
            name=f"{name_of(backend)}, {SPLIT_NAMES[split]}",
            legendgroup=f"{backend} {split}",
            showlegend=column == 1,
            mode="lines+markers",
            line=line,
            marker={"symbol": SYMBOLS[split], "size": WIDTHS[backend] + 4},
            row=1,
            col=column,
        )


def _draw_difference(figure: go.Figure, pairs: Pairs, split: str) -> None:
    metric, grey = f"{split}/loss", "#444444"
    rows = []
    for each in zip(
        *(zip(*(run.history for run in runs.values()), strict=True) for runs in pairs.by_seed.values()), strict=True
    ):
        if all(_has(pair, metric) for pair in each):
            rows.append((each[0][0]["epoch"], [second[metric] - first[metric] for first, second in each]))
    if not rows:
        return
    epochs, apart = [epoch for epoch, _ in rows], [values for _, values in rows]
    means = [fmean(values) for values in apart]
    common = {"showlegend": False, "row": 1, "col": 3}
    if len(pairs.by_seed) > 1:
        halves = [interval(values).half for values in apart]
        upper = [mean + half for mean, half in zip(means, halves, strict=True)]
        lower = [mean - half for mean, half in zip(means, halves, strict=True)]
        band = {"x": epochs + epochs[::-1], "y": upper + lower[::-1], "fill": "toself", "mode": "none"}
        figure.add_scatter(**band, fillcolor="rgba(68,68,68,0.15)", hoverinfo="skip", **common)
    line, marker = {"color": grey, "dash": DASHES[split], "width": 2}, {"symbol": SYMBOLS[split], "size": 7}
    name = f"difference, {SPLIT_NAMES[split]}"
    figure.add_scatter(x=epochs, y=means, name=name, mode="lines+markers", line=line, marker=marker, **common)
