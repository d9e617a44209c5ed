"""The workers of one machine: as many processes as it has places, each with its own environment, replaced when gone."""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from experiments.engine.gpus import GPUS, share_gpus
from experiments.system.errors import TandemError

# Before a worker that has ended is replaced; longer for one that could not start.
PAUSE_SECONDS = 0.2
MOST_FAILURES = 4
REACH_SECONDS = 5.0
REACH_PAUSES = (0.5, 1.5)
# Workers of a job leave so long before its time limit, or a tenth of it, and at most twice that.
LONGEST_MARGIN_SECONDS = 60.0


async def _nothing() -> None:
    pass


class Crew:
    """Starts a worker in each place, and another when it ends."""

    def __init__(self, names: Sequence[str], gpus: Sequence[str] | None, threads: int, logs: Path | None) -> None:
        self.names, self.gpus, self.threads, self.logs = names, gpus, threads, logs
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._closed = False
        # Raises what is to end the whole crew.
        self.before_starting: Callable[[], Awaitable[None]] = _nothing

    async def run(self, arguments: Sequence[str]) -> None:
        """Keep the places filled; `arguments` are those of experiments.engine.worker, without the name."""
        await asyncio.gather(*(self._keep(place, arguments) for place in range(len(self.names))))

    def kill(self, name: str) -> None:
        """End a worker, and all that it started, whatever it does; another one follows."""
        process = self._processes.get(name)
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End every worker, and start no other."""
        self._closed = True
        for name in self.names:
            self.kill(name)

    async def _keep(self, place: int, arguments: Sequence[str]) -> None:
        failures = 0
        await self.before_starting()
        while not self._closed:
            code = await self._run_one(place, arguments)
            failures = failures + 1 if code > 0 else 0
            if failures > MOST_FAILURES:
                where = self.logs / f"{self.names[place]}.log" if self.logs else "the lines above"
                raise TandemError(
                    f"worker {self.names[place]}: expected a process that connects; got {failures} in a row that "
                    f"ended before, the last with exit code {code}",
                    advice=f"{where} says why",
                )
            await asyncio.sleep(PAUSE_SECONDS * 2**failures)
            await self.before_starting()

    async def _run_one(self, place: int, arguments: Sequence[str]) -> int:
        name = self.names[place]
        command = [sys.executable, "-m", "experiments.engine.worker", *arguments, "--name", name]
        with self._log(name) as log:
            # A session of its own: a Ctrl-C at the terminal is for the process that started it, which closes the rest.
            process = await asyncio.create_subprocess_exec(
                *command,
                env=self._environment(place),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[name] = process
        if self._closed:
            self.kill(name)
        code = await process.wait()
        with contextlib.suppress(ProcessLookupError):  # what it started, and left behind
            os.killpg(process.pid, signal.SIGKILL)
        return code

    def _log(self, name: str) -> contextlib.AbstractContextManager[IO[bytes] | None]:
        return (self.logs / f"{name}.log").open("ab") if self.logs else contextlib.nullcontext()

    def _environment(self, place: int) -> dict[str, str]:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(self.threads))
        gpus = {} if self.gpus is None else {GPUS: self.gpus[place] if self.gpus else ""}
        # Unbuffered: what a worker prints is in its log, also when it is killed.
        return {**os.environ, "PYTHONUNBUFFERED": "1", **threads, **gpus}


async def _serve(crew: Crew, arguments: Sequence[str], seconds: float) -> None:
    """Run a job's workers until shortly before its end; then they go, and another job takes over."""
    loop = asyncio.get_running_loop()
    crew.before_starting = partial(_check_controller, arguments[0])
    running = asyncio.ensure_future(crew.run(arguments))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(running, max(0.0, seconds))
    finally:
        crew.close()


async def _check_controller(address: str) -> None:
    """Raise if the controller has gone: its jobs end with it.

    Raises:
        TandemError: there is nobody at its address.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    for pause in (*REACH_PAUSES, None):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), REACH_SECONDS)
            writer.close()
            break
        except (TimeoutError, OSError) as error:
            if pause is None:
                raise TandemError(
                    f"expected the controller at {address}; got {type(error).__name__} from {socket.gethostname()}",
                    advice="if it runs, set the engine's host in params.yaml to an address that this node reaches",
                ) from None
            await asyncio.sleep(pause)


def main() -> None:
    """Be the program of a job."""
    parser = argparse.ArgumentParser()
    for option in ("--workers", "--workers-per-gpu", "--threads", "--seconds"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("--name", required=True)
    options, others = parser.parse_known_args()
    gpus = share_gpus(options.workers, options.workers_per_gpu) if options.workers_per_gpu else []
    names = [f"{options.name}-{place}" for place in range(options.workers)]
    crew = Crew(names, gpus, options.threads, None)
    margin = min(LONGEST_MARGIN_SECONDS, options.seconds / 10)
    # Jobs that began together don't leave together.
    seconds = options.seconds - margin * random.uniform(1, 2)  # noqa: S311
    try:
        asyncio.run(_serve(crew, others, seconds))
    except TandemError as error:
        sys.exit(f"{options.name}: {error}")


if __name__ == "__main__":
    main()
