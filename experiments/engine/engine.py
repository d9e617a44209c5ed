"""What an engine must offer: processes, each of which runs a task at a time, and can report from inside of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol

P = ParamSpec("P")
# Sends a message from inside of a task to the process that submitted it, and returns the answer.
Report = Callable[[Any], Any]
# Receives (key of the task, message), and returns the answer.
Answer = Callable[[str, Any], Any]
Task = Callable[Concatenate[Report, P], Any]


@dataclass(frozen=True)
class Slot:
    """A worker process that is connected.

    `address` tells it from the process that replaces it, `name` stays when it is replaced. `node` and `gpus` (as CUDA
    names them) are there to be shown.
    """

    address: str
    name: str
    node: str
    gpus: str


@dataclass(frozen=True)
class Ended:
    """The end of a task: its result; or one line on the exception that it raised; or its process is gone (`lost`)."""

    key: str
    slot: Slot
    result: Any = None
    error: str | None = None
    lost: bool = False


class EngineClosed(Exception):
    """The process that submitted a task is gone: there is nobody to report to."""


class Engine(Protocol):
    """Runs tasks. Everything but the tasks happens in the thread that calls it."""

    def start(self, answer: Answer) -> None:
        """Start workers; they connect later, see `slots`. `answer` is called by `events` alone."""

    def slots(self) -> Sequence[Slot]:
        """Return the workers that are connected now, busy or not."""

    def submit(self, key: str, slot: Slot, task: Task[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `task(report, *args)` in a worker that has no task; `events` tells how it ended.

        Nothing is tried again. Task, arguments, messages and results are pickled. A key is used once.
        """

    def events(self, seconds: float) -> Iterator[Ended]:
        """Answer the reports, and yield the tasks that have ended; return once there were some, or after `seconds`."""

    def renew(self, slot: Slot) -> None:
        """Replace the process of a worker that has no task: what it has loaded is gone."""

    def close(self) -> None:
        """End every worker, whatever it does; may be called at any time."""
