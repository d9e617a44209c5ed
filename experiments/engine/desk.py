"""What is known of workers and tasks; lives in the thread of Dask's event loop, and queues what its user must hear."""

import asyncio
import pickle
import queue
from collections.abc import Callable
from dataclasses import dataclass

from distributed import Scheduler, SchedulerPlugin

from experiments.engine.engine import Ended, Slot


@dataclass(frozen=True)
class Reported:
    """A message from inside of a task, which waits for its answer."""

    key: str
    content: bytes
    answer: "asyncio.Future[bytes | None]"

    def reply(self, answer: bytes | None) -> None:
        """Answer, in the thread of the event loop; None refuses."""
        if not self.answer.done():
            self.answer.set_result(answer)


Heard = Ended | Reported | Exception


class Desk(SchedulerPlugin):
    """Takes what workers say. A task ends once: with its result, or as lost when its worker goes before that."""

    name = "desk"

    def __init__(self, joined: Callable[[Slot], None], gone: Callable[[Slot], None]) -> None:
        self.slots: dict[str, Slot] = {}
        self.heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._running: dict[str, Slot] = {}
        self._joined, self._gone = joined, gone

    def attach(self, scheduler: Scheduler) -> None:
        """Answer the calls of workers."""
        scheduler.add_plugin(self)
        self._scheduler = scheduler
        scheduler.handlers.update(worker_joins=self.joins, task_reports=self.reports, task_ends=self.ends)

    async def joins(self, worker: str, content: bytes) -> None:
        """Remember a worker that has connected."""
        name, node, gpus = pickle.loads(content)  # noqa: S301 - TLS lets only our own workers in
        if worker in self._scheduler.workers:
            slot = Slot(worker, name, node, gpus)
            self.slots = {**self.slots, worker: slot}
            self._joined(slot)

    async def reports(self, key: str, worker: str, content: bytes) -> bytes | None:
        """Return the answer to a report; None to a worker that no longer has the task."""
        if not self._has(key, worker):
            return None
        reported = Reported(key, content, asyncio.get_running_loop().create_future())
        self.heard.put(reported)
        return await reported.answer

    async def ends(self, key: str, worker: str, content: bytes) -> bytes | None:
        """Take the end of a task."""
        if not self._has(key, worker):
            return None
        whole, error = pickle.loads(content)  # noqa: S301
        slot = self._running.pop(key)
        try:
            self.heard.put(Ended(key, slot, None if whole is None else pickle.loads(whole), error))  # noqa: S301
        except Exception as problem:
            self.heard.put(Ended(key, slot, error=f"a result that can't be read: {problem}"))
        return b""

    def begin(self, key: str, slot: Slot) -> bool:
        """Remember that a worker has a task; without that worker, the task is lost already."""
        self._running[key] = slot
        if slot.address not in self.slots:
            self.lose(key)
            return False
        return True

    def lose(self, key: str, error: str | None = None) -> None:
        """End a task that can't end by itself, unless it has ended: as lost, or with an error."""
        slot = self._running.pop(key, None)
        if slot is not None:
            self.heard.put(Ended(key, slot, error=error, lost=error is None))

    def remove_worker(self, scheduler: Scheduler, worker: str, **others: object) -> None:
        """Give up what a worker had."""
        slot = self.slots.get(worker)
        self.slots = {address: other for address, other in self.slots.items() if address != worker}
        for key in [key for key, has in self._running.items() if has.address == worker]:
            self.lose(key)
        if slot is not None:
            self._gone(slot)

    def _has(self, key: str, worker: str) -> bool:
        slot = self._running.get(key)
        return slot is not None and slot.address == worker
