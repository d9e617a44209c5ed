import numpy as np

from experiments.figures import confusion_matrix, learning_curves

HISTORY = [{"epoch": float(e), "train/loss": 1.0 / e, "train/accuracy": 0.5, "test/accuracy": 0.9} for e in (1, 2, 3)]


def test_curves_show_every_metric_that_there_is() -> None:
    loss, accuracy = learning_curves("title", {"keras": HISTORY}).axes
    assert [line.get_label() for line in loss.lines] == ["train, keras"]
    assert [line.get_label() for line in accuracy.lines] == ["train, keras", "test, keras"]
    np.testing.assert_allclose(np.asarray(accuracy.lines[1].get_ydata(), float), np.full(3, 90.0))  # per cent


def test_a_pair_also_shows_its_difference() -> None:
    other = [{**row, "train/loss": row["train/loss"] - 0.25} for row in HISTORY]
    *_, difference = learning_curves("title", {"lightning": HISTORY, "keras": other}).axes
    np.testing.assert_allclose(np.asarray(difference.lines[0].get_ydata(), float), np.full(3, 0.25))


def test_a_confusion_matrix_shows_every_count() -> None:
    axes = confusion_matrix("title", np.array([[5, 1], [2, 7]])).axes[0]
    assert [text.get_text() for text in axes.texts] == ["5", "1", "2", "7"]
