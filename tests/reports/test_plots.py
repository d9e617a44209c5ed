import numpy as np
from matplotlib.colors import to_hex

from experiments.reports.confusion_plots import plot_confusion_matrix, plot_confusions
from experiments.reports.plots import learning_curves

HISTORY = [{"epoch": float(e), "train/loss": 1.0 / e, "train/accuracy": 0.5, "test/accuracy": 0.9} for e in (1, 2, 3)]


def test_curves_show_every_metric_that_there_is() -> None:
    loss, error = learning_curves("title", {"keras": HISTORY}).axes
    assert [line.get_label() for line in loss.lines] == ["training, keras"]
    assert [line.get_label() for line in error.lines] == ["training, keras", "test, keras"]
    np.testing.assert_allclose(np.asarray(error.lines[1].get_ydata(), float), np.full(3, 10.0))  # per cent


def test_a_pair_also_shows_its_signed_difference() -> None:
    other = [{**row, "train/loss": row["train/loss"] - 0.25} for row in HISTORY]
    *_, difference = learning_curves("title", {"lightning": HISTORY, "keras": other}).axes
    _, line = difference.lines  # after the zero
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), np.full(3, -0.25))
    assert difference.get_ylabel() == "loss of keras - loss of lightning (nats)"


def test_a_pair_of_different_length_is_compared_where_both_have_epochs() -> None:
    for histories in ((HISTORY, HISTORY[:2]), (HISTORY[:2], HISTORY)):
        first, second = histories
        loss, _, difference = learning_curves("title", {"lightning": first, "keras": second}).axes
        assert sorted(len(np.asarray(line.get_xdata())) for line in loss.lines) == [2, 3]
        assert len(np.asarray(difference.lines[1].get_xdata())) == 2


def test_colour_is_the_framework_and_line_style_the_split() -> None:
    _, error, _ = learning_curves("title", {"lightning": HISTORY, "keras": HISTORY}).axes
    looks = [(to_hex(line.get_color()), line.get_linestyle()) for line in error.lines]
    assert looks == [("#0072b2", "-"), ("#0072b2", ":"), ("#d55e00", "-"), ("#d55e00", ":")]


def test_of_two_equal_curves_both_are_visible() -> None:
    _, error, _ = learning_curves("title", {"lightning": HISTORY, "keras": HISTORY}).axes
    first, _, second, _ = error.lines
    assert first.get_linewidth() > 3 * second.get_linewidth()
    assert first.get_zorder() <= second.get_zorder()


def test_a_confusion_matrix_shows_every_count_and_colours_the_errors_alone() -> None:
    axes = plot_confusion_matrix("title", np.array([[900, 1], [2, 0]]), ["a", "b"], "#0072B2").axes[0]
    assert [text.get_text() for text in axes.texts] == ["900", "1", "2", ""]
    drawn = axes.images[0].get_array()
    assert np.ma.getmaskarray(np.ma.asarray(drawn)).tolist() == [[True, False], [False, True]]
    assert (axes.images[0].norm.vmax, axes.get_xlabel(), axes.get_ylabel()) == (2, "predicted", "true")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b"]


def test_of_a_thousand_classes_the_most_frequent_errors_are_shown() -> None:
    counts = np.diag(np.full(1000, 9))
    counts[999, 7], counts[3, 5], counts[3, 6] = 4, 3, 2
    pairs, classes = plot_confusions("title", counts, [f"class {number}" for number in range(1000)], "#0072B2").axes
    labels = [[text.get_text() for text in axes.get_yticklabels()] for axes in (pairs, classes)]
    assert labels[0] == ["class 999 → class 7", "class 3 → class 5", "class 3 → class 6"]
    assert labels[1] == ["class 3, of 14", "class 999, of 13"]
