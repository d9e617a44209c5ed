"""Which test images the two frameworks answer differently, and which classes they take for which."""

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from experiments.reports.page.charts import style
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Gallery, Part, Picture, Section, picture_source
from experiments.reports.page.source import Pairs, Source
from experiments.system.colours import COLOURS
from experiments.training.outputs import Outputs

# More pictures than this say nothing more, and make the page large; it says how many there are.
MOST = 200


def answers_section(source: Source) -> Section:
    """Return pictures and matrices of each recipe: the pictures of its first seed, the counts of all of them."""
    parts: list[Part] = []
    for pairs in source.pairs:
        if len(pairs.backends) == 2:
            parts += _of(source, pairs)
    answer = (
        "Which images do they answer differently? Each has its label, both answers, and the probability that each "
        "framework gives to its own answer; then, which classes are taken for which."
        if parts
        else "One framework alone was trained: there is nothing to compare."
    )
    return Section("answers", "Which images", parts, answer=answer)


def _of(source: Source, pairs: Pairs) -> list[Part]:
    seed, runs = next(iter(pairs.by_seed.items()))
    first, second = runs.values()
    apart = np.flatnonzero(first.predicted != second.predicted)
    wrong = np.flatnonzero((first.predicted == second.predicted) & (first.predicted != first.actual))
    where = f"{pairs.recipe}, seed {seed}"
    what = f"{where}: {len(apart)} of {len(first.actual)} images are answered differently"
    both = f"{where}: {len(wrong)} images that both get wrong in the same way"
    chart = matrices(pairs, source.dataset.classes)
    return [
        _gallery(source, pairs, apart, what),
        _gallery(source, pairs, wrong, both, folded=True),
        Chart(chart, f"Errors of both frameworks in {pairs.recipe}, and their difference", pairs.made_from),
    ]


def _gallery(
    source: Source, pairs: Pairs, chosen: npt.NDArray[np.int64], title: str, *, folded: bool = False
) -> Gallery:
    images, runs = source.dataset.split("test").images, next(iter(pairs.by_seed.values()))
    actual = next(iter(runs.values())).actual
    pictures = [
        Picture(
            str(index),
            picture_source(images[index]),
            f"label {actual[index]}",
            [*(f"{name_of(backend)}: {_answer(run, index)}" for backend, run in runs.items()), f"image {index}"],
        )
        for index in chosen[:MOST]
    ]
    shown = f"; the first {MOST} of them" if len(chosen) > MOST else ""
    return Gallery(pictures, title + shown, folded=folded, made_from=pairs.made_from)


def _answer(run: Outputs, index: int) -> str:
    mark = "✓" if run.predicted[index] == run.actual[index] else "✗"
    return f"{run.predicted[index]} {mark} {100 * run.probability[index]:.1f} %"


def matrices(pairs: Pairs, classes: int) -> go.Figure:
    """Return the errors of each framework, class by class, over all seeds, and how the second's differ."""
    first, second = (_errors(pairs, backend, classes) for backend in pairs.backends)
    names = [name_of(backend) for backend in pairs.backends]
    titles = [f"errors of {name}" for name in names] + [f"errors: {names[1]} minus {names[0]}"]
    figure = make_subplots(rows=1, cols=3, subplot_titles=titles, horizontal_spacing=0.06)
    most = max(1.0, *(float(np.nanmax(errors)) for errors in (first, second)))
    blue, orange = (COLOURS[backend] for backend in pairs.backends)
    for column, (errors, colour) in enumerate(((first, blue), (second, orange)), 1):
        _heat(figure, column, errors, {"colorscale": [[0, "white"], [1, colour]], "zmin": 0, "zmax": most}, "d")
    apart = max(1.0, float(np.nanmax(np.abs(second - first))))
    scale = {"colorscale": [[0, blue], [0.5, "white"], [1, orange]], "zmin": -apart, "zmax": apart}
    _heat(figure, 3, second - first, scale, "+d")
    figure.update_xaxes(title_text="predicted", dtick=1, constrain="domain", showgrid=False, zeroline=False)
    figure.update_yaxes(title_text="true", dtick=1, autorange="reversed", showgrid=False, zeroline=False)
    count = len(pairs.by_seed)
    seeds = f"all {count} seeds" if count > 1 else f"seed {next(iter(pairs.by_seed))}"
    figure.update_layout(plot_bgcolor="#e8e8e8")
    return style(figure, f"{pairs.recipe}, {seeds}: images by class, without those that are right", 540)


def _errors(pairs: Pairs, backend: str, classes: int) -> npt.NDArray[np.float64]:
    """Return how many images of a true class (row) were taken for another (column); NaN on the diagonal."""
    counts = np.zeros(classes * classes)
    for runs in pairs.by_seed.values():
        run = runs[backend]
        counts += np.bincount(run.actual * classes + run.predicted, minlength=classes * classes)
    errors = counts.reshape(classes, classes)
    np.fill_diagonal(errors, np.nan)
    return errors


def _heat(
    figure: go.Figure, column: int, errors: npt.NDArray[np.float64], scale: dict[str, object], digits: str
) -> None:
    text = [["" if np.isnan(each) or each == 0 else f"{int(each):{digits}}" for each in row] for row in errors]
    figure.add_heatmap(
        z=errors,
        text=text,
        texttemplate="%{text}",
        xgap=1,
        ygap=1,
        showscale=False,
        hovertemplate="true %{y}, predicted %{x}: %{z:" + digits.replace("d", ".0f") + "} images<extra></extra>",
        **scale,
        row=1,
        col=column,
    )
