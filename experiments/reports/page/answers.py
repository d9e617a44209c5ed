"""Which test images the two frameworks answer differently, and which classes they take for which."""

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from sklearn.metrics import confusion_matrix

from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Gallery, Part, Picture, Section, Text, picture_source
from experiments.reports.page.source import Pairs, Source
from experiments.training.outputs import Outputs

# More pictures than this say nothing more, and make the page large; it says how many there are.
MOST = 200


def answers_section(source: Source) -> Section:
    """Return pictures and matrices of each recipe, of its first seed."""
    parts: list[Part] = []
    for pairs in source.pairs:
        if len(pairs.backends) == 2:
            parts += _of(source, pairs)
    if not parts:
        parts.append(Text("One framework alone was trained: there is nothing to compare."))
    return Section("answers", "Which images", parts)


def _of(source: Source, pairs: Pairs) -> list[Part]:
    seed, runs = next(iter(pairs.by_seed.items()))
    first, second = runs.values()
    actual = first.actual
    apart = np.flatnonzero(first.predicted != second.predicted)
    wrong = np.flatnonzero((first.predicted == second.predicted) & (first.predicted != actual))
    where = f"{pairs.recipe}, seed {seed}"
    return [
        _gallery(source, pairs, apart, f"{where}: {len(apart)} of {len(actual)} images are answered differently"),
        _gallery(
            source, pairs, wrong, f"{where}: {len(wrong)} images that both get wrong in the same way", folded=True
        ),
        Chart(matrices(pairs, source.dataset.classes, where)),
    ]


def _gallery(
    source: Source, pairs: Pairs, chosen: npt.NDArray[np.int64], title: str, *, folded: bool = False
) -> Gallery:
    images, runs = source.dataset.split("test").images, next(iter(pairs.by_seed.values()))
    pictures = [
        Picture(
            picture_source(images[index]),
            f"image {index}, label {next(iter(runs.values())).actual[index]}",
            [f"{name_of(backend)}: {_answer(run, index)}" for backend, run in runs.items()],
        )
        for index in chosen[:MOST]
    ]
    shown = f", the first {MOST} of them below" if len(chosen) > MOST else ""
    return Gallery(pictures, title + shown, folded=folded)


def _answer(run: Outputs, index: int) -> str:
    return f"{run.predicted[index]} ({100 * run.probability[index]:.1f} %)"


def matrices(pairs: Pairs, classes: int, title: str) -> go.Figure:
    """Return the errors of the first framework, class by class, and how the second's differ."""
    runs = next(iter(pairs.by_seed.values()))
    counts = [confusion_matrix(run.actual, run.predicted, labels=range(classes)) for run in runs.values()]
    errors = counts[0].astype(float)
    np.fill_diagonal(errors, np.nan)
    difference = (counts[1] - counts[0]).astype(float)
    np.fill_diagonal(difference, np.nan)
    first, second = map(name_of, pairs.backends)
    titles = [f"errors of {first}", f"errors of {second} minus those of {first}"]
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.12)
    most = max(1.0, float(np.nanmax(np.abs(difference))))
    heat = {"xgap": 1, "ygap": 1, "texttemplate": "%{z}", "showscale": False}
    figure.add_heatmap(z=errors, colorscale="Greys", **heat, row=1, col=1)
    figure.add_heatmap(z=difference, colorscale="PuOr", zmin=-most, zmax=most, **heat, row=1, col=2)
    figure.update_xaxes(title_text="predicted", dtick=1)
    figure.update_yaxes(title_text="true", dtick=1, autorange="reversed")
    figure.update_layout(title=title, template="plotly_white", height=460, margin={"l": 50, "r": 20, "t": 80, "b": 50})
    return figure
