"""Metrics on their way to the store: in the background, one batch at a time, into the spool where the store fails."""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from experiments.system.console import warn
from experiments.system.urls import one_line
from experiments.tracking.spool import Spool, log_metrics

# Points gather for some seconds: the store takes 10 ms or more for one, and not much longer for hundreds.
SEND_SECONDS = 2
# How long the end of an epoch, or a user who pressed Ctrl-C, waits for a server that doesn't answer. A healthy one
# takes thousands of points in a second.
FLUSH_SECONDS = 10


class MetricSender:
    """Sends the metrics of one run. `is_away`: the last batch failed, or the store hasn't answered in time."""

    def __init__(self, run_id: str, spool: Spool, send_seconds: float) -> None:
        self._run_id, self._spool, self._send_seconds = run_id, spool, send_seconds
        self._waiting: list[Metric] = []
        self._on_the_way: list[Metric] = []
        self._answer: Future[None] | None = None
        self._sent = time.monotonic()
        self._has_warned = False
        self.is_away = False

    def add(self, metrics: Iterable[Metric]) -> None:
        """Send metrics some time, without waiting."""
        self._waiting += metrics
        if time.monotonic() - self._sent > self._send_seconds:
            self._send()

    def flush(self) -> None:
        """Return once every metric is in the store or the spool: after FLUSH_SECONDS, or at once if the store is away.

        Raises:
            OSError: neither takes them.
        """
        deadline = time.monotonic() + FLUSH_SECONDS
        self._send()
        while self._waiting or self._on_the_way:
            if self.is_away:
                # The batch on its way too. If it arrives, the spool's copy of it is not delivered.
                self._keep(self._on_the_way + self._waiting, "it has failed before")
                self._waiting, self._on_the_way = [], []
            else:
                self._send()
                if self._answer is not None:
                    self._settle(self._answer, deadline - time.monotonic())

    def _send(self) -> None:
        """Send what is waiting, all of it at once; while a batch is on its way, it goes on waiting."""
        if self._answer is not None and self._answer.done():
            self._settle(self._answer, 0)
        if self._answer is None and (self._on_the_way or self._waiting):
            # A signal right here leaves a batch on its way without an answer: it is sent again, and MLflow leaves out
            # what it has already.
            self._on_the_way = self._on_the_way + self._waiting
            self._waiting = []
            self._sent = time.monotonic()
            self._answer = _in_background(self._run_id, self._on_the_way)

    def _settle(self, answer: Future[None], seconds: float) -> None:
        """Wait for the batch on its way; one that fails, or takes longer, goes into the spool."""
        try:
            answer.result(max(seconds, 0))
            self.is_away = False
        except TimeoutError:
            self._keep(self._on_the_way, f"no answer within {FLUSH_SECONDS} s")
            self._on_the_way = []
            return
        except MlflowException as error:
            self._keep(self._on_the_way, one_line(error))
        self._on_the_way, self._answer = [], None

    def _keep(self, metrics: list[Metric], reason: str) -> None:
        self.is_away = True
        if metrics:
            self._spool.add_metrics(metrics)
            self.warn(reason)

    def warn(self, reason: str) -> None:
        """Say, once a run, that something is kept in the spool."""
        if not self._has_warned:
            warn(
                f"run {self._run_id}: MLflow's store fails ({reason}); what it can't take is kept in "
                f"{self._spool.path}, and the next tandem command that reaches the store delivers it"
            )
        self._has_warned = True


def _in_background(run_id: str, metrics: list[Metric]) -> Future[None]:
    """Log metrics in a thread that doesn't hold up the end of the process, as those of an executor do."""
    answer: Future[None] = Future()

    def log() -> None:
        try:
            log_metrics(run_id, metrics)
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)

    threading.Thread(target=log, daemon=True).start()
    return answer
