"""The workers of a controller: which framework each has loaded, and which are put aside."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from experiments.engine.engine import Slot
from experiments.settings.recipe import BackendName

# A worker in which so many trainings in a row fail, or are lost with its process, gets no other. Processes are lost for
# many reasons (a job that is preempted), most of which are not the worker's.
MOST_FAILURES, MOST_LOSSES = 2, 5


class _Busy(Protocol):
    slot: Slot


@dataclass
class Slots:
    """The workers that are connected. A process loads one framework, and keeps it."""

    connected: list[Slot] = field(default_factory=list)
    loaded: dict[str, BackendName] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    aside: dict[str, str] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)

    def update(self, connected: Sequence[Slot]) -> None:
        """Take note of who is connected now."""
        self.connected = list(connected)
        addresses = {slot.address for slot in connected}
        self.loaded = {address: backend for address, backend in self.loaded.items() if address in addresses}

    def idle(self, current: Mapping[str, _Busy]) -> Iterable[Slot]:
        """Return the workers that may get a training."""
        self.busy = {attempt.slot.address for attempt in current.values()}
        return [slot for slot in self.connected if slot.address not in self.busy and slot.name not in self.aside]

    def backends_for(self, slot: Slot, backends: Sequence[BackendName]) -> Sequence[BackendName]:
        """Return the framework of a worker; for a new one, all of them, first that which the fewest have loaded."""
        if slot.address in self.loaded:
            return [self.loaded[slot.address]]
        counts = Counter(self._usable())
        return sorted(backends, key=lambda backend: counts[backend])

    def _usable(self) -> list[BackendName | None]:
        """Return what each worker has loaded that wasn't put aside."""
        return [self.loaded.get(each.address) for each in self.connected if each.name not in self.aside]

    def is_stuck(self, slot: Slot, pending: set[BackendName]) -> bool:
        """Return whether no worker can train some of what is pending: all have loaded the other framework."""
        usable = set(self._usable())
        return slot.address in self.loaded and None not in usable and bool(pending - usable)

    def has_worked(self, slot: Slot) -> None:
        """Forget the failures of a worker that has trained an epoch."""
        self.failures.pop(slot.name, None)
        self.losses.pop(slot.name, None)

    def has_failed(self, slot: Slot, reason: str, *, lost: bool) -> None:
        """Count a failure, or the loss of its process, and put a worker aside that knows nothing else."""
        counts = self.losses if lost else self.failures
        counts[slot.name] += 1
        if counts[slot.name] >= (MOST_LOSSES if lost else MOST_FAILURES):
            self.aside[slot.name] = reason

    def hopeless(self) -> str | None:
        """Return the last reason if every worker there is was put aside."""
        if self.aside and self.connected and all(slot.name in self.aside for slot in self.connected):
            return [*self.aside.values()][-1]
        return None
