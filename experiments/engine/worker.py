"""A worker: a process that runs one task at a time, and ends with its connection, or with whoever started it."""

import argparse
import asyncio
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from distributed import Security, Worker, WorkerPlugin, get_worker
from distributed.utils import sync

from experiments.engine.configure import configure
from experiments.engine.engine import EngineClosed
from experiments.engine.gpus import GPUS
from experiments.engine.tasks import run_task


class _EndsWithItsConnection(WorkerPlugin):
    """Ends the process when Dask closes the worker, whatever its task does."""

    def teardown(self, worker: Worker) -> None:
        end_group()


def end_group() -> None:
    """Kill this process and those that it started: each worker is the first of a group of its own."""
    os.killpg(0, signal.SIGKILL)


def call(operation: str, key: str, content: bytes) -> bytes:
    """Call the process that submitted a task, from the task's thread, and return the answer.

    Raises:
        EngineClosed: it is gone, or has given up this task.
    """
    worker = get_worker()
    try:
        handler = getattr(worker.scheduler, operation)
        answer = sync(worker.loop, handler, key=key, worker=worker.address, content=content)
    except Exception as error:  # of many kinds: a connection that is lost, refused or closed on our side
        raise EngineClosed(f"{key}: nobody takes what this worker reports") from error
    if answer is None:
        raise EngineClosed(f"{key}: the worker was given up, and the task is no longer its own")
    return bytes(answer)


def perform(key: str, content: bytes) -> None:
    """Run a task in a worker; its end is sent like a report, so that no result is lost with a worker."""

    def report(message: object) -> Any:
        return pickle.loads(call("task_reports", key, pickle.dumps(message)))  # noqa: S301 - from our own processes

    def whole() -> bytes:
        task, arguments, options = pickle.loads(content)  # noqa: S301
        return pickle.dumps(task(report, *arguments, **options))

    result, error = run_task(whole)
    call("task_ends", key, pickle.dumps((result, error)))


def follow_input() -> None:
    """End with the process at the other end of the standard input."""

    def wait() -> None:
        sys.stdin.buffer.read()
        end_group()

    threading.Thread(target=wait, daemon=True).start()


async def work(options: argparse.Namespace) -> None:
    """Be a worker until the connection closes."""
    security = Security(
        require_encryption=True,
        tls_ca_file=options.tls_ca_file,
        tls_worker_cert=options.tls_cert,
        tls_worker_key=options.tls_key,
    )
    make: Callable[..., Worker] = partial(Worker, nthreads=1, memory_limit=0, dashboard_address="127.0.0.1:0")
    plugins = (_EndsWithItsConnection(),)
    worker = make(
        options.scheduler,
        name=options.name,
        security=security,
        host=options.host,
        local_directory=options.local_directory,
        death_timeout=options.death_timeout,
        plugins=plugins,
    )
    async with worker:
        content = pickle.dumps((options.name, socket.gethostname(), os.environ.get(GPUS, "")))
        await worker.scheduler.worker_joins(worker=worker.address, content=content)
        await worker.finished()


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Return the options of a worker; dask-jobqueue adds some that mean nothing here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scheduler")
    for name in ("name", "local-directory", "tls-ca-file", "tls-cert", "tls-key", "host", "death-timeout"):
        parser.add_argument(f"--{name}")
    return parser.parse_known_args(arguments)[0]


def main() -> None:
    """Be a worker; the exit code is above 0 only if it could not connect."""
    follow_input()
    configure()
    asyncio.run(work(read_options(sys.argv[1:])))
    end_group()


if __name__ == "__main__":
    main()
