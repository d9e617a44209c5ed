"""An engine on Dask: a scheduler in a thread of this process, and workers that connect to it."""

import asyncio
import contextlib
import pickle
import queue
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, Scheduler

from experiments.engine.configure import configure
from experiments.engine.desk import Desk, Reported
from experiments.engine.engine import Answer, Ended, EngineClosed, P, Slot, Task
from experiments.engine.places import Places
from experiments.engine.security import make_security
from experiments.engine.worker import perform
from experiments.system.errors import TandemError

# Workers are dead after a hundredth of it; the rest is for connections, which this process doesn't need any longer.
CLOSE_SECONDS = 0.8


class DaskEngine:
    """Runs tasks in processes. Dask has a thread of its own; its user hears of all that happens there from `events`."""

    def __init__(self, places: Places, folder: Path) -> None:
        self._places, self._folder = places, folder
        self._desk = Desk(places.joined, places.gone)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._at_work: set[asyncio.Task[Any]] = set()

    def start(self, answer: Answer) -> None:
        """Start the scheduler; it starts the workers.

        Raises:
            TandemError: it can't listen at the address that it is given.
        """
        self._answer = answer
        configure()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    def slots(self) -> Sequence[Slot]:
        """Return the workers that are connected."""
        return tuple(self._desk.slots.values())

    def submit(self, key: str, slot: Slot, task: Task[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Send a task to a worker."""
        content = pickle.dumps((task, args, kwargs))
        self._loop.call_soon_threadsafe(lambda: self._do(self._follow(key, slot, content)))

    def events(self, seconds: float) -> Iterator[Ended]:
        """Answer the reports, and yield the ends of tasks.

        Raises:
            TandemError: workers can't be started.
        """
        until, ended = time.monotonic() + seconds, False
        while not ended:
            wait = max(0.0, until - time.monotonic())
            for _ in range(max(1, self._desk.heard.qsize())):
                try:
                    heard = self._desk.heard.get(timeout=wait)
                except queue.Empty:
                    return
                if isinstance(heard, Exception):
                    raise heard
                if isinstance(heard, Reported):
                    self._reply(heard)
                else:
                    ended = True
                    yield heard
            ended = ended or time.monotonic() >= until

    def renew(self, slot: Slot) -> None:
        """End the process of a worker, with its task if it has one; another one follows."""
        removed = self._scheduler.remove_worker(slot.address, stimulus_id="renew")
        asyncio.run_coroutine_threadsafe(removed, self._loop).result()

    def close(self) -> None:
        """Kill the workers, and close what is open."""
        if not self._thread.is_alive():
            return
        with contextlib.suppress(Late):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _reply(self, reported: Reported) -> None:
        answer = None
        try:
            answer = pickle.dumps(self._answer(reported.key, pickle.loads(reported.content)))  # noqa: S301
        finally:  # a worker that gets no answer would wait for ever
            self._loop.call_soon_threadsafe(reported.reply, answer)

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(what)
        self._at_work.add(task)  # the loop itself doesn't keep it
        task.add_done_callback(self._at_work.discard)

    async def _open(self) -> None:
        security = make_security(self._folder)
        try:
            self._scheduler = await Scheduler(
                protocol="tls://",
                host=self._places.host,
                security=security,
                dashboard=False,
                dashboard_address="127.0.0.1:0",
            )
        except (OSError, ValueError, RuntimeError) as error:
            expected = f"expected an address of this machine; got {self._places.host}: {error}"
            problem = f"the engine's host in params.yaml: {expected}"
            raise TandemError(problem, advice="null lets it be found") from None
        self._desk.attach(self._scheduler)
        self._do(self._run_places())
        self._client = await Client(self._scheduler.address, asynchronous=True, security=security, set_as_default=False)

    async def _run_places(self) -> None:
        try:
            await self._places.run(self._scheduler.address)
        except Exception as error:
            self._desk.heard.put(error)

    async def _follow(self, key: str, slot: Slot, content: bytes) -> None:
        if not self._desk.begin(key, slot):
            return
        only_there = {"workers": [slot.address], "allow_other_workers": False, "retries": 0, "pure": False}
        future = self._client.submit(perform, key, content, key=key, **only_there)
        try:
            await future
        except (KilledWorker, EngineClosed):
            self._desk.lose(key)
        except Exception as error:
            self._desk.lose(key, f"{type(error).__name__}: {' '.join(str(error).split())}")
        finally:
            future.release()

    async def _close(self) -> None:
        for task in self._at_work:
            task.cancel()
        await self._places.close()
        with contextlib.suppress(Exception):  # whatever Dask says about workers that were killed
            await self._client.close(timeout=CLOSE_SECONDS / 4)
            await self._scheduler.close()
