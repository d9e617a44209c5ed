"""Plots of trainings, drawn without a screen. Colour is the framework, line style the split."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from experiments.data.dataset import Dataset
from experiments.reports.classes import MOST_IN_A_MATRIX, class_labels, count_answers
from experiments.reports.confusion_plots import plot_confusion_matrix, plot_confusions
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
    labels, colour = class_labels(dataset), COLOURS[key.backend]
    counts = count_answers(outputs.actual, outputs.predicted, dataset.classes)
    plots = {"learning_curves.png": learning_curves(title, {key.backend: outputs.history})}
    if dataset.classes <= MOST_IN_A_MATRIX:
        return {**plots, "confusion_matrix.png": plot_confusion_matrix(f"{title}: test set", counts, labels, colour)}
    return {**plots, "confusions.png": plot_confusions(f"{title}: test set", counts, labels, colour)}


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
