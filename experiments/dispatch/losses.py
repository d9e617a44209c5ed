"""How often in a row a job was lost, without progress in between."""

from collections import Counter
from typing import Generic

from experiments.dispatch.attempt import J


class Losses(Generic[J]):
    """Of each job: how often in a row it was lost, and the epoch that its last attempt began at."""

    def __init__(self) -> None:
        self._counts: Counter[J] = Counter()
        self._reached: Counter[J] = Counter()

    def of(self, job: J) -> int:
        """Return how often in a row a job was lost."""
        return self._counts[job]

    def add(self, job: J, *, is_its_own: bool) -> int:
        """Count a loss, and return how many there are now: none, if the last wasn't the job's own fault."""
        self._counts[job] = self._counts[job] + 1 if is_its_own else 0
        return self._counts[job]

    def begins(self, job: J, epoch: int) -> None:
        """Forget the losses of a job whose attempt resumes after a later epoch than those before it.

        Only what could be resumed is progress: on a full disk, epochs are accepted, and their checkpoints lost.
        """
        if epoch > self._reached[job]:
            self._reached[job], self._counts[job] = epoch, 0
