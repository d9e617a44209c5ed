"""What is dispatched: a sweep and a list of trainings each say what their jobs are, and what becomes of them."""

from abc import ABC, abstractmethod
from typing import Any, Generic

from experiments.dispatch.attempt import A, J
from experiments.engine.engine import Ended, Slot
from experiments.settings.recipe import BackendName
from experiments.training.messages import Begun, Closing, EpochDone, Outcome, Reply


class Work(ABC, Generic[J, A]):
    """What a dispatcher asks of its jobs, in the process that alone writes to the stores."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What messages call all of it."""

    @abstractmethod
    def label(self, job: J) -> str:
        """Return what messages call a job."""

    @abstractmethod
    def is_done(self) -> bool:
        """Return whether there is nothing left to do."""

    @abstractmethod
    def start(self, job: J, slot: Slot) -> None:
        """Begin an attempt: make it current, and submit it."""

    @abstractmethod
    def begun(self, attempt: A, begun: Begun) -> Any:
        """Accept the first report of an attempt, and return the answer."""

    @abstractmethod
    def epoch_done(self, attempt: A, done: EpochDone) -> Reply:
        """Accept an epoch."""

    @abstractmethod
    def finish(self, attempt: A, outcome: Outcome) -> None:
        """Take what an attempt brought that came to its end."""

    def closing(self, attempt: A, closing: Closing) -> Reply:
        """Accept the last report of a complete training; what else is trained sends none.

        Raises:
            RuntimeError: it was sent all the same.
        """
        raise RuntimeError(f"{self.label(attempt.job)}: expected no report after the last epoch; got {closing.files}")

    def check(self) -> None:
        """Make sure that this process may still write."""

    def refill(self, backend: BackendName) -> None:
        """Add to what is waiting for a framework."""

    def switches(self, slot: Slot) -> bool:
        """Return whether an idle worker is to load the other framework, for which something waits."""
        return True

    def lost(self, attempt: A, ended: Ended) -> None:
        """Take note of a loss."""

    def look(self) -> None:
        """Show how far everything is; called once in a while."""
