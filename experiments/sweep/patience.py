"""Stores that are away for a while: MLflow's, as everywhere, and Optuna's."""

from collections.abc import Callable
from typing import TypeVar

import optuna

from experiments.tracking import patience

T = TypeVar("T")
AWAY = (*patience.AWAY, optuna.exceptions.StorageInternalError)


def patiently(action: Callable[[], T]) -> T:
    """Return what an action returns, which may be repeated; repeat it, for minutes, while a store is away.

    Raises:
        what the action raises in the end.
    """
    return patience.patiently(action, AWAY)
