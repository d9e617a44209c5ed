"""What a prediction is worth: one definition for both frameworks, in float64 and by NumPy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from experiments.backend import Logits, Model
from experiments.dataset import Labels, Split


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy per image in nats, accuracy as a fraction, and the predicted class of each image."""

    loss: float
    accuracy: float
    predicted: npt.NDArray[np.int64]

    def metrics(self, split: str) -> dict[str, float]:
        """Return `split/loss` and `split/accuracy`."""
        return {f"{split}/loss": self.loss, f"{split}/accuracy": self.accuracy}


def score(logits: Logits, labels: Labels) -> Score:
    """Score logits of shape (n, classes) against labels of shape (n,)."""
    chosen = log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    predicted = logits.argmax(axis=1)
    return Score(float(-chosen.mean()), float((predicted == labels).mean()), predicted)


def score_model(model: Model, split: Split) -> Score:
    """Score a model on a split, with dropout off."""
    return score(model.predict(split.images), split.labels)
