"""Runs functions in a process of their own: torch and tensorflow, for example, don't share a process well."""

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from experiments.system.errors import TandemError
from experiments.system.quiet import redirected

P = ParamSpec("P")
R = TypeVar("R")


class JobFailed(Exception):
    """A job raised an exception; the message, one line, has its type and the end of its text."""


class IsolatedProcess:
    """A spawned process that runs functions one after another, inside a `with`; leaving it kills the process.

    Functions, arguments and results are pickled. What the process prints goes to a file, see `output`. `environment`
    are variables that it gets beside those of this process.
    """

    def __init__(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        self.name, self._environment = name, environment or {}
        self._log = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed by __exit__

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Start a function in the process; `wait` returns its result.

        Raises:
            TandemError: the process has ended.
        """
        with self._one_line():
            return self._executor.submit(_run, partial(function, *args, **kwargs))

    def wait(self, future: Future[R]) -> R:
        """Return the result of a function.

        Raises:
            JobFailed: the function raised something other than a TandemError or an OSError.
            TandemError: the function raised one, or an OSError; or the process has ended.
        """
        with self._one_line():
            return future.result()

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in the process, and return its result; raises what `submit` and `wait` raise."""
        return self.wait(self.submit(function, *args, **kwargs))

    def output(self) -> str:
        """Return all that the process has printed, on standard output and standard error."""
        return Path(self._log.name).read_text(errors="replace")

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except BrokenProcessPool:
            last = ([line.strip() for line in self.output().splitlines() if line.strip()] or ["no output"])[-1]
            raise TandemError(f"{self.name} process ended ({last}); repeat the command") from None

    def __enter__(self) -> Self:
        others = multiprocessing.active_children()
        context = multiprocessing.get_context("spawn")
        # The process inherits the redirection: whatever it prints, and however it ends, the screen stays clean.
        with redirected(self._log.fileno(), 1, 2), _variables(self._environment):
            self._executor = ProcessPoolExecutor(1, context, initializer=_exit_with_parent)
            self._executor.submit(int)  # the first job starts the process
        self._processes = [child for child in multiprocessing.active_children() if child not in others]
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes:  # without it, shutdown would wait for the job's end
            process.kill()
        self._executor.shutdown()
        self._log.close()


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process's environment, which a process that is started inherits."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _exit_with_parent() -> None:
    # An idle worker of a killed parent would wait for its next job for ever.
    def follow() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _run(job: Callable[[], R]) -> R:
    try:
        return job()
    except (TandemError, OSError) as error:
        failure: Exception = TandemError(str(error))
    except Exception as error:
        # TensorFlow's messages begin with a traceback; the reason is at their end.
        failure = JobFailed(f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}")
    # Not in a block above: the framework's exception would be a part of this one, and not each can be pickled.
    raise failure
