"""Pictures, drawn without a screen."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

History = Sequence[Mapping[str, float]]

# One colour a split, one line style a backend: a pair of runs reads as two versions of the same three lines.
COLOURS = {"train": "tab:blue", "val": "tab:orange", "test": "tab:green"}
STYLES = {"lightning": "-", "keras": "--"}


def learning_curves(title: str, histories: Mapping[str, History]) -> Figure:
    """Return loss and accuracy against the epoch, for the history of each backend."""
    paired = len(histories) == 2
    figure = Figure(figsize=(15 if paired else 10, 4), layout="constrained")
    figure.suptitle(title)
    loss, accuracy, *difference = figure.subplots(1, 3 if paired else 2)
    for backend, history in histories.items():
        for split in COLOURS:
            _curve(loss, history, split, "loss", backend)
            _curve(accuracy, history, split, "accuracy", backend)
    loss.set(xlabel="epoch", ylabel="cross-entropy per image (nats)")
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)")
    for axes in difference:
        _differences(axes, *histories.items())
    for axes in (loss, accuracy, *difference):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def _curve(axes: Axes, history: History, split: str, metric: str, backend: str) -> None:
    name = f"{split}/{metric}"
    points = [(row["epoch"], row[name]) for row in history if name in row]
    if points:
        scale = 100 if metric == "accuracy" else 1
        x, y = zip(*points, strict=True)
        axes.plot(
            x,
            [scale * value for value in y],
            color=COLOURS[split],
            linestyle=STYLES.get(backend, "-"),
            marker="o" if backend == "lightning" else "x",
            markersize=4,
            label=f"{split}, {backend}",
        )


def _differences(axes: Axes, first: tuple[str, History], second: tuple[str, History]) -> None:
    """Draw how far the losses of two runs are apart: the curves themselves usually hide each other."""
    for split, colour in COLOURS.items():
        name = f"{split}/loss"
        points = [(a["epoch"], abs(b[name] - a[name])) for a, b in zip(first[1], second[1], strict=True) if name in a]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, marker="s", markersize=4, label=split)
    axes.set(xlabel="epoch", ylabel=f"|loss {second[0]} - loss {first[0]}| (nats)")
    if any(np.any(np.asarray(line.get_ydata(), float) > 0) for line in axes.lines):
        axes.set_yscale("log")


def confusion_matrix(title: str, counts: npt.NDArray[np.int64]) -> Figure:
    """Return a confusion matrix, from counts of shape (classes, classes): rows are true, columns predicted."""
    classes = len(counts)
    figure = Figure(figsize=(6.5, 6), layout="constrained")
    axes = figure.subplots()
    # Coloured by the share of each row, so that a rare class shows its errors as well as a common one.
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(classes, classes):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    axes.set(title=title, xlabel="predicted", ylabel="true", xticks=range(classes), yticks=range(classes))
    return figure
