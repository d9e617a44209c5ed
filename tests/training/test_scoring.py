import numpy as np
import pytest

from experiments.training.scoring import score


def test_a_score_is_the_textbook_s() -> None:
    # Softmax of (ln 3, 0) is (3/4, 1/4).
    logits = np.array([[np.log(3), 0], [np.log(3), 0]], np.float32)
    result = score(logits, np.array([0, 1], np.uint16))
    assert result.loss == pytest.approx((-np.log(3 / 4) - np.log(1 / 4)) / 2, rel=1e-7)
    assert result.accuracy == 0.5
    assert result.predicted.tolist() == [0, 0]
    assert set(result.metrics("val")) == {"val/loss", "val/accuracy"}


def test_large_logits_do_not_overflow() -> None:
    result = score(np.array([[1000.0, 0.0]], np.float32), np.array([1], np.uint16))
    assert result.loss == pytest.approx(1000)
