"""Optuna without what it says about itself."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Hide its log, and its warnings that some of its plots and evaluators are experimental."""
    log = logging.getLogger("optuna")
    level = log.level
    log.setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        yield
    log.setLevel(level)
