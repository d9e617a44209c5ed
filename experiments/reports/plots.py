"""Plots of trainings, drawn without a screen. Colour is the framework, line style the split."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from sklearn.metrics import confusion_matrix

from experiments.data.dataset import Dataset
from experiments.settings.project import RunKey
from experiments.system.colours import COLOURS
from experiments.training.outputs import Outputs

History = Sequence[Mapping[str, float]]

# The curves of a pair nearly coincide: a thin line on a wide one leaves both visible.
WIDTHS = {"lightning": 6.0, "keras": 1.6}
LINE_STYLES = {"train": "-", "val": "--", "test": ":"}
SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}
MARKERS = {"train": "o", "val": "s", "test": "^"}


def training_plots(key: RunKey, dataset: Dataset, outputs: Outputs) -> dict[str, Figure]:
    """Return the plots of one run, by file name."""
    title = f"{key.label} on {dataset.name}"
    counts = confusion_matrix(outputs.actual, outputs.predicted, labels=range(dataset.classes))
    return {
        "learning_curves.png": learning_curves(title, {key.backend: outputs.history}),
        "confusion_matrix.png": plot_confusion_matrix(f"{title}: test set", counts, COLOURS[key.backend]),
    }


def learning_curves(title: str, histories: Mapping[str, History]) -> Figure:
    """Return loss and error against the epoch, by backend; for a pair, also the signed difference of the losses."""
    paired = len(histories) == 2
    figure = Figure(figsize=(12 if paired else 8.5, 3.8), layout="constrained")
    figure.suptitle(title)
    loss, error, *difference = figure.subplots(1, 3 if paired else 2)
    for backend, history in histories.items():
        for split in LINE_STYLES:
            _curve(loss, history, f"{split}/loss", backend)
            _curve(error, history, f"{split}/accuracy", backend)
    loss.set(xlabel="epoch", ylabel="cross-entropy per image (nats)", yscale="log")
    error.set(xlabel="epoch", ylabel="error (%)", yscale="log")
    for axes in (loss, error):
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    for axes in difference:
        _differences(axes, *histories.items())
    for axes in (loss, error, *difference):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3, which="both")
        axes.legend(handlelength=3.5)
    return figure


def _curve(axes: Axes, history: History, metric: str, backend: str) -> None:
    split = metric.split("/")[0]
    rows = [row for row in history if metric in row]
    if not rows:
        return
    percent = metric.endswith("accuracy")
    axes.plot(
        [row["epoch"] for row in rows],
        [100 * (1 - row[metric]) if percent else row[metric] for row in rows],
        color=COLOURS[backend],
        linewidth=WIDTHS[backend],
        linestyle=LINE_STYLES[split],
        marker=MARKERS[split],
        markersize=WIDTHS[backend] + 3,
        label=f"{SPLIT_NAMES[split]}, {backend}",
    )


def _differences(axes: Axes, first: tuple[str, History], second: tuple[str, History]) -> None:
    """Draw the signed difference of the losses of two runs: the curves themselves nearly coincide."""
    axes.axhline(0, color="black", linewidth=0.8)
    for split, style in LINE_STYLES.items():
        metric = f"{split}/loss"
        # One of the two may have stopped early.
        pairs = zip(first[1], second[1], strict=False)
        rows = [(a["epoch"], b[metric] - a[metric]) for a, b in pairs if metric in a and metric in b]
        if rows:
            epochs, differences = zip(*rows, strict=True)
            marker = MARKERS[split]
            axes.plot(epochs, differences, color="#444444", linestyle=style, marker=marker, label=SPLIT_NAMES[split])
    axes.set(xlabel="epoch", ylabel=f"loss of {second[0]} - loss of {first[0]} (nats)")
    axes.ticklabel_format(axis="y", style="scientific", scilimits=(-2, 2))


def plot_confusion_matrix(title: str, counts: npt.NDArray[np.int64], colour: str) -> Figure:
    """Return a confusion matrix, from counts of shape (classes, classes): rows are true, columns predicted.

    Colour shows the errors alone, since the diagonal would outshine them: white for none, `colour` for the most.
    """
    classes = len(counts)
    figure = Figure(figsize=(6.5, 6), layout="constrained")
    axes = figure.subplots()
    errors = np.ma.masked_array(counts, np.eye(classes, dtype=bool))
    most = max(1, int(errors.max()))
    colours = LinearSegmentedColormap.from_list("errors", ["white", colour]).with_extremes(bad="#e8e8e8")
    axes.imshow(errors, cmap=colours, vmin=0, vmax=most)
    for row, column in np.ndindex(classes, classes):
        dark = row != column and counts[row, column] > 0.6 * most
        text = str(counts[row, column]) if counts[row, column] else ""
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    wrong, every = int(errors.sum()), int(counts.sum())
    axes.set(title=f"{title}\n{wrong} of {every} images wrong; grey: right", xlabel="predicted", ylabel="true")
    axes.set(xticks=range(classes), yticks=range(classes))
    return figure
