"""Which classes the two frameworks take for which: a matrix of few classes, the most confused ones of many."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.classes import (
    MOST_IN_A_MATRIX,
    Counts,
    count_answers,
    errors_of,
    most_confused,
    shortened,
)
from experiments.reports.page.charts import style
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Part, Table, Text
from experiments.reports.page.source import Pairs
from experiments.system.colours import COLOURS

MOST_BARS, MOST_ROWS = 20, 100


def confusion_parts(pairs: Pairs, labels: Sequence[str]) -> list[Part]:
    """Return what shows the errors of both frameworks, class by class, over all seeds."""
    counts = [_counts(pairs, backend, len(labels)) for backend in pairs.backends]
    if len(labels) <= MOST_IN_A_MATRIX:
        says = f"Errors of both frameworks in {pairs.recipe}, and their difference"
        return [Chart(matrices(pairs, counts, labels), says, pairs.made_from)]
    errors = [errors_of(each) for each in counts]
    if not any(each.any() for each in errors):
        return [Text(f"{pairs.recipe}: every image is answered rightly, by both frameworks.")]
    says = f"The classes that both frameworks confuse most in {pairs.recipe}"
    return [Chart(ranked(pairs, errors, labels), says, pairs.made_from), by_class(pairs, counts, labels)]


def ranked(pairs: Pairs, errors: Sequence[Counts], labels: Sequence[str]) -> go.Figure:
    """Return the classes that are most often taken for each other, a pair of bars for each."""
    chosen = most_confused(errors, MOST_BARS)
    places = list(range(len(chosen)))
    full = [f"true {labels[each.true]}, predicted {labels[each.predicted]}" for each in chosen]
    figure = go.Figure()
    for number, backend in enumerate(pairs.backends):
        figure.add_bar(
            x=[each.counts[number] for each in chosen],
            y=places,
            customdata=full,
            orientation="h",
            name=name_of(backend),
            marker_color=COLOURS[backend],
            hovertemplate="%{customdata}: %{x} images<extra></extra>",
        )
    axis = {"tickvals": places, "ticktext": [each.shown(labels) for each in chosen], "autorange": "reversed"}
    figure.update_yaxes(**axis, showgrid=False)
    figure.update_xaxes(title_text="images", rangemode="tozero", tickformat="d")
    title = f"{pairs.recipe}, {_seeds(pairs)}: true → predicted, the {len(chosen)} most frequent errors"
    return style(figure, title, 180 + 26 * len(chosen))


def by_class(pairs: Pairs, counts: Sequence[Counts], labels: Sequence[str]) -> Table:
    """Return the classes with the most errors: images, errors of either, and what each is most often taken for."""
    errors = [errors_of(each) for each in counts]
    wrong = [each.sum(axis=1) for each in errors]
    order = np.argsort(-np.sum(wrong, axis=0), kind="stable")
    rows = [
        [
            labels[true],
            f"{counts[0][true].sum():,}",
            *(f"{each[true]:,}" for each in wrong),
            f"{wrong[1][true] - wrong[0][true]:+,}",
            *(_taken_for(each[true], labels) for each in errors),
        ]
        for true in order[:MOST_ROWS]
    ]
    names = [name_of(backend) for backend in pairs.backends]
    shown = f"the {MOST_ROWS} of {len(labels)} with the most errors" if len(labels) > MOST_ROWS else "all of them"
    return Table(
        ["class", "images", *names, "difference", *names],
        rows,
        title=f"{pairs.recipe}, {_seeds(pairs)}: errors by class, {shown}",
        folded=True,
        groups=[("", 2), ("images answered wrongly", 3), ("most often taken for", 2)],
        made_from=pairs.made_from,
    )


def _taken_for(errors: Counts, labels: Sequence[str]) -> str:
    most = int(errors.argmax())
    return f"{labels[most]}\u00a0({errors[most]})" if errors[most] else "–"


def matrices(pairs: Pairs, counts: Sequence[Counts], labels: Sequence[str]) -> go.Figure:
    """Return the errors of each framework, class by class, over all seeds, and how the second's differ."""
    right = np.eye(len(labels), dtype=bool)
    first, second = (np.where(right, np.nan, each) for each in counts)
    names = [name_of(backend) for backend in pairs.backends]
    titles = [f"errors of {name}" for name in names] + [f"errors: {names[1]} minus {names[0]}"]
    shown = [shortened(label) for label in labels]
    between = max(0.06, 0.04 + 0.006 * max(map(len, shown)))  # room for the names at the left of a panel
    figure = make_subplots(rows=1, cols=3, subplot_titles=titles, horizontal_spacing=between)
    most = max(1.0, *(float(np.nanmax(errors)) for errors in (first, second)))
    blue, orange = (COLOURS[backend] for backend in pairs.backends)
    for column, (errors, colour) in enumerate(((first, blue), (second, orange)), 1):
        _heat(figure, column, errors, {"colorscale": [[0, "white"], [1, colour]], "zmin": 0, "zmax": most}, labels)
    apart = max(1.0, float(np.nanmax(np.abs(second - first))))
    scale = {"colorscale": [[0, blue], [0.5, "white"], [1, orange]], "zmin": -apart, "zmax": apart}
    _heat(figure, 3, second - first, scale, labels, "+d")
    ticks = {"tickvals": list(range(len(labels))), "ticktext": shown}
    figure.update_xaxes(title_text="predicted", constrain="domain", showgrid=False, zeroline=False, **ticks)
    figure.update_yaxes(title_text="true", autorange="reversed", showgrid=False, zeroline=False, **ticks)
    figure.update_layout(plot_bgcolor="#e8e8e8")
    return style(figure, f"{pairs.recipe}, {_seeds(pairs)}: images by class, without those that are right", 540)


def _counts(pairs: Pairs, backend: str, classes: int) -> Counts:
    counts = np.zeros((classes, classes), np.int64)
    for runs in pairs.by_seed.values():
        counts += count_answers(runs[backend].actual, runs[backend].predicted, classes)
    return counts


def _seeds(pairs: Pairs) -> str:
    count = len(pairs.by_seed)
    return f"all {count} seeds" if count > 1 else f"seed {next(iter(pairs.by_seed))}"


def _heat(
    figure: go.Figure,
    column: int,
    errors: npt.NDArray[np.float64],
    scale: dict[str, object],
    labels: Sequence[str],
    digits: str = "d",
) -> None:
    text = [["" if np.isnan(each) or each == 0 else f"{int(each):{digits}}" for each in row] for row in errors]
    names = [[f"true {true}, predicted {predicted}" for predicted in labels] for true in labels]
    figure.add_heatmap(
        z=errors,
        text=text,
        customdata=names,
        texttemplate="%{text}",
        xgap=1,
        ygap=1,
        showscale=False,
        hovertemplate="%{customdata}: %{z:" + digits.replace("d", ".0f") + "} images<extra></extra>",
        **scale,
        row=1,
        col=column,
    )
