"""What is trained, and an attempt at it."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from experiments.engine.engine import Slot
from experiments.settings.recipe import BackendName


class Job(Hashable, Protocol):
    """What is to be trained."""

    @property
    def backend(self) -> BackendName:
        """The framework that trains it."""


J = TypeVar("J", bound=Job)


@dataclass
class Attempt(Generic[J]):
    """A job in a worker, resumed after the epoch `since`; `epoch` is the last that was accepted."""

    job: J
    slot: Slot
    since: int = 0
    epoch: int = 0


A = TypeVar("A", bound=Attempt[Any])
