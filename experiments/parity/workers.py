"""The two processes of parity, one a framework."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from json import dumps
from typing import IO, Self

from experiments.parity.protocol import Job
from experiments.system.errors import TandemError

PROBE = (sys.executable, "-m", "experiments.parity.probe")


class JobFailed(Exception):
    """A framework raised while it did a job; the text says what."""


class Worker:
    """A process that does jobs in one framework, one after the other, inside a `with`."""

    def __init__(self, backend: str, *, device: str, threads: int, command: Sequence[str] = PROBE) -> None:
        self.backend = backend
        self._log: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            [*command, backend, device, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            bufsize=1,
        )

    def ask(self, job: Job) -> None:
        """Hand over a job; `wait` must follow before the next."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it was asked for above
        with contextlib.suppress(BrokenPipeError):  # `wait` says why
            self._process.stdin.write(dumps(asdict(job)) + "\n")

    def wait(self) -> None:
        """Wait until the job is done.

        Raises:
            JobFailed: the framework raised.
            TandemError: the process refused the device, or is gone.
        """
        assert self._process.stdout is not None  # noqa: S101
        word, _, text = self._process.stdout.readline().strip().partition(" ")
        if word == "failed":
            raise JobFailed(text)
        if word == "refused":
            raise TandemError(text)
        if word != "done":
            self._log.seek(0)
            last = [line for line in self._log.read().splitlines() if line.strip()][-1:] or ["without a word"]
            raise TandemError(f"parity: the {self.backend} process ended ({last[0]}); repeat the command")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()
