"""Loss and accuracy: one definition for both frameworks, in float64 and by NumPy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from experiments.contract.model import Logits, Model
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Labels, Split


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy per image in nats, accuracy as a fraction; of each image, the class that is predicted.

    `probability` is what the model gives that class, float64 of shape (n,).
    """

    loss: float
    accuracy: float
    predicted: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]

    def metrics(self, split: str) -> dict[str, float]:
        """Return `split/loss` and `split/accuracy`."""
        return {f"{split}/loss": self.loss, f"{split}/accuracy": self.accuracy}


def score(logits: Logits, labels: Labels) -> Score:
    """Score logits of shape (n, classes) against labels of shape (n,)."""
    images = np.arange(len(labels))
    logs, predicted = log_softmax(logits.astype(np.float64), axis=1), logits.argmax(axis=1)
    loss, accuracy = float(-logs[images, labels].mean()), float((predicted == labels).mean())
    return Score(loss, accuracy, predicted, np.exp(logs[images, predicted]))


def score_model(model: Model, split: Split) -> Score:
    """Score a model on a split, with dropout off."""
    return score(model.predict(split.images), split.labels)


def training_metrics(losses: FloatArray, correct: int, *, images: int, batch_size: int) -> dict[str, float]:
    """Return `train/loss` and `train/accuracy` of an epoch, per image, as training saw them.

    `losses` has the mean loss of each batch; the last batch may be short.
    """
    sizes = np.full(-(-images // batch_size), batch_size)
    sizes[-1] = images - sizes[:-1].sum()
    if len(losses) != len(sizes):
        raise RuntimeError(f"the backend reported {len(losses)} steps of an epoch of {len(sizes)}")
    return {"train/loss": float(losses.astype(np.float64) @ sizes / sizes.sum()), "train/accuracy": correct / images}
