import numpy as np
import pytest

from experiments.training.scoring import score


def test_a_score_is_the_textbook_s() -> None:
    # Softmax of (ln 3, 0) is (3/4, 1/4).
    logits = np.array([[np.log(3), 0], [np.log(3), 0]], np.float32)
    found = score(logits, np.array([0, 1], np.uint8))
    assert found.loss == pytest.approx((-np.log(3 / 4) - np.log(1 / 4)) / 2, rel=1e-7)
    assert found.accuracy == 0.5
    assert found.predicted.tolist() == [0, 0]
    assert set(found.metrics("val")) == {"val/loss", "val/accuracy"}


def test_large_logits_do_not_overflow() -> None:
    found = score(np.array([[1000.0, 0.0]], np.float32), np.array([1], np.uint8))
    assert found.loss == pytest.approx(1000)
