"""Tasks in this process, one after the other: for debugging, and for tests."""

import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from experiments.engine.engine import Answer, Ended, EngineClosed, P, Slot, Task
from experiments.engine.tasks import run_task


class InlineEngine:
    """One slot, which is this process. A task runs inside of `events`."""

    def __init__(self) -> None:
        self._slot = Slot("inline", "inline", socket.gethostname(), os.environ.get("CUDA_VISIBLE_DEVICES", ""))
        self._failure: Exception | None = None
        self._waiting: list[tuple[str, partial[object]]] = []

    def start(self, answer: Answer) -> None:
        """Remember whom reports go to."""
        self._answer = answer

    def slots(self) -> Sequence[Slot]:
        """Return the one slot."""
        return [self._slot]

    def submit(self, key: str, slot: Slot, task: Task[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Keep the task for `events`."""
        self._waiting.append((key, partial(task, partial(self._report, key), *args, **kwargs)))

    def _report(self, key: str, message: object) -> object:
        try:
            return self._answer(key, message)
        except Exception as error:  # not the task's
            self._failure = error
            raise EngineClosed(f"{key}: nobody answers") from error

    def events(self, seconds: float) -> Iterator[Ended]:
        """Run what was submitted, and yield how it ended.

        Raises:
            what `answer` raises.
        """
        waiting, self._waiting = self._waiting, []
        for key, call in waiting:
            try:
                result, error = run_task(call)
            except EngineClosed:
                raise self._failure or EngineClosed from None
            yield Ended(key, self._slot, result, error)

    def renew(self, slot: Slot) -> None:
        """Pretend to be a new process, which loads the other framework too."""
        self._slot = replace(slot, address=f"{slot.address}'")

    def close(self) -> None:
        """Forget what was not begun."""
        self._waiting = []
