"""Which classes a model takes for which, drawn without a screen."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from experiments.reports.classes import Counts, errors_of, most_confused, shortened

MOST_BARS = 20
MOST_UPRIGHT = 3  # longer names of classes are turned


def plot_confusion_matrix(title: str, counts: Counts, labels: Sequence[str], colour: str) -> Figure:
    """Return a confusion matrix, from counts of shape (classes, classes): rows are true, columns predicted.

    Colour shows the errors alone, since the diagonal would outshine them: white for none, `colour` for the most.
    """
    classes = len(counts)
    side = 0.3 * max(0, classes - 12)
    figure = Figure(figsize=(6.5 + side, 6 + side), layout="constrained")
    axes = figure.subplots()
    errors = np.ma.masked_array(counts, np.eye(classes, dtype=bool))
    most = max(1, int(errors.max()))
    colours = LinearSegmentedColormap.from_list("errors", ["white", colour]).with_extremes(bad="#e8e8e8")
    axes.imshow(errors, cmap=colours, vmin=0, vmax=most)
    for row, column in np.ndindex(classes, classes):
        dark = row != column and counts[row, column] > 0.6 * most
        text = str(counts[row, column]) if counts[row, column] else ""
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    axes.set(title=_heading(title, counts, "grey: right"), xlabel="predicted", ylabel="true")
    names = [shortened(label) for label in labels]
    turned = any(len(name) > MOST_UPRIGHT for name in names)
    axes.set_xticks(range(classes), names, rotation=90 if turned else 0)
    axes.set_yticks(range(classes), names)
    return figure


def plot_confusions(title: str, counts: Counts, labels: Sequence[str], colour: str) -> Figure:
    """Return the most frequent errors of many classes, and the classes with the most errors, as bars."""
    errors = errors_of(counts)
    chosen = most_confused([errors], MOST_BARS)
    wrong = errors.sum(axis=1)
    classes = [int(each) for each in np.argsort(-wrong, kind="stable")[:MOST_BARS] if wrong[each]]
    figure = Figure(figsize=(12, 1.8 + 0.28 * MOST_BARS), layout="constrained")
    figure.suptitle(_heading(title, counts, f"{len(labels)} classes"))
    left, right = figure.subplots(1, 2)
    _bars(left, [each.shown(labels) for each in chosen], [each.counts[0] for each in chosen], colour)
    of_class = [f"{shortened(labels[each])}, of {counts[each].sum()}" for each in classes]
    _bars(right, of_class, [int(wrong[each]) for each in classes], colour)
    left.set(title="true → predicted: the most frequent errors")
    right.set(title="true class: those with the most errors")
    return figure


def _heading(title: str, counts: Counts, more: str) -> str:
    wrong, every = int(errors_of(counts).sum()), int(counts.sum())
    return f"{title}\n{wrong} of {every} images wrong; {more}"


def _bars(axes: Axes, names: Sequence[str], values: Sequence[int], colour: str) -> None:
    places = range(len(names))
    bars = axes.barh(places, values, color=colour)
    axes.bar_label(bars, padding=2, fontsize=8)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set(xlabel="images", xticks=[])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
