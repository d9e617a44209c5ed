"""The classes of a dataset in tables and pictures: what they are called, and which are taken for which."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Dataset

# A matrix of more classes can't be read: the classes that are confused most are listed instead.
MOST_IN_A_MATRIX = 20
Counts = npt.NDArray[np.int64]


def class_labels(dataset: Dataset) -> list[str]:
    """Return what each class is called: its name, or its number where it has none."""
    return list(dataset.class_names or map(str, range(dataset.classes)))


def shortened(label: str, most: int = 12) -> str:
    """Return a label of so many characters at most."""
    return label if len(label) <= most else f"{label[: most - 1]}…"


def count_answers(actual: Counts, predicted: Counts, classes: int) -> Counts:
    """Return how many images of a true class (row) were taken for another (column), int64 (classes, classes)."""
    return np.bincount(actual * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def errors_of(counts: Counts) -> Counts:
    """Return the counts without those on the diagonal, which are right."""
    return counts - np.diag(np.diag(counts))


@dataclass(frozen=True)
class Confusion:
    """A true class, the one that it is taken for, and how often: a count for each run, or each framework."""

    true: int
    predicted: int
    counts: Sequence[int]

    def shown(self, labels: Sequence[str]) -> str:
        """Return the two, as a label."""
        return f"{shortened(labels[self.true])} → {shortened(labels[self.predicted])}"


def most_confused(errors: Sequence[Counts], most: int) -> list[Confusion]:
    """Return up to `most` confusions that are most frequent in all of several counts of errors together."""
    total = np.sum(errors, axis=0)
    order = np.argsort(-total, axis=None, kind="stable")[:most]
    places = zip(*np.unravel_index(order, total.shape), strict=True)
    return [
        Confusion(int(true), int(predicted), [int(each[true, predicted]) for each in errors])
        for true, predicted in places
        if total[true, predicted]
    ]
