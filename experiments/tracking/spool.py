"""What the store could not take: kept under .tandem/spool/, a file a run, until a command delivers it.

A line is a JSON object: `metrics` ([name, value, milliseconds, step] each), or `status` with `end_time` and `owner`.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import filelock
from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from mlflow.exceptions import MlflowException

from experiments.system.console import warn
from experiments.system.urls import one_line
from experiments.tracking.abandoned import CLOSED_BECAUSE, PROCESS_GONE
from experiments.tracking.owner import owner_tags
from experiments.tracking.runs import PAGE, find_run

# Another process that delivers the same run needs a few requests a thousand points.
WAIT_SECONDS = 60
# Set with MLflow's tracking URI, which is the process's own too.
_folder = Path(".tandem/spool")


def use(folder: Path) -> None:
    """Keep in this folder what can't be delivered."""
    global _folder
    _folder = folder


class Spool:
    """What is kept of one run. A process that has added to it holds a lock on it until `release`."""

    def __init__(self, run_id: str) -> None:
        self.run_id, self.path = run_id, _folder / f"{run_id}.jsonl"
        self._lock = filelock.FileLock(self.path.with_suffix(".lock"))

    def add_metrics(self, metrics: Iterable[Metric]) -> None:
        """Keep metrics; they are on the disk when this returns."""
        self._add({"metrics": [[metric.key, metric.value, metric.timestamp, metric.step] for metric in metrics]})

    def add_status(self, status: str, end_time: int) -> None:
        """Keep how and when (in milliseconds since 1970) this process ended the run."""
        self._add({"status": status, "end_time": end_time, "owner": owner_tags()})

    def _add(self, entry: Mapping[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire(WAIT_SECONDS)
        with self.path.open("a") as file:
            # The newline before it closes a line that a kill has cut off.
            file.write(f"\n{json.dumps(entry)}\n")
            file.flush()
            os.fsync(file.fileno())

    def release(self) -> None:
        """Let other processes deliver it."""
        self._lock.release(force=True)

    def deliver(self, *, wait: float = 0) -> None:
        """Send everything to the store, no step twice, and forget it. That of a run which isn't in the store is kept.

        Raises:
            MlflowException: the store fails.
            filelock.Timeout: another process delivers it, or still writes the run, after `wait` seconds.
        """
        if not self.path.exists():
            return
        with self._lock.acquire(wait):
            run = find_run(self.run_id) if self.path.exists() else None
            if run is None:
                return
            entries = list(_entries(self.path))
            self._send([Metric(*point) for entry in entries for point in entry.get("metrics", ())], run)
            for entry in [entry for entry in entries if "status" in entry][-1:]:
                self._end(**entry)
            self.path.unlink()

    def _send(self, metrics: list[Metric], run: Run) -> None:
        logged = logged_steps(run, {metric.key for metric in metrics})
        new = {(metric.key, metric.step): metric for metric in metrics if (metric.key, metric.step) not in logged}
        log_metrics(self.run_id, list(new.values()))

    def _end(self, *, status: str, end_time: int, owner: Mapping[str, str]) -> None:
        """End the run, unless it has ended, or another process has resumed it."""
        run = MlflowClient().get_run(self.run_id)
        tags = run.data.tags
        abandoned = tags.get(CLOSED_BECAUSE) == PROCESS_GONE  # closed from elsewhere, for want of this status
        if owner.items() <= tags.items() and (run.info.status == "RUNNING" or abandoned):
            MlflowClient().set_terminated(self.run_id, status, end_time)
            if abandoned:
                MlflowClient().delete_tag(self.run_id, CLOSED_BECAUSE)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue  # empty, or cut off by a kill


def logged_steps(run: Run, names: Iterable[str]) -> set[tuple[str, int]]:
    """Return (name, step) of what a run has of these metrics."""
    client = MlflowClient()
    known = run.data.metrics.keys() & set(names)
    return {(name, point.step) for name in known for point in client.get_metric_history(run.info.run_id, name)}


def log_metrics(run_id: str, metrics: list[Metric]) -> None:
    """Log metrics, as many at once as MLflow takes."""
    for start in range(0, len(metrics), PAGE):
        MlflowClient().log_batch(run_id, metrics=metrics[start : start + PAGE])


def deliver_all() -> None:
    """Deliver what commands have left that ended without the store."""
    for path in sorted(_folder.glob("*.jsonl")):
        try:
            Spool(path.stem).deliver()
        except filelock.Timeout:
            continue  # another process delivers it, or still writes the run
        except MlflowException as error:
            warn(f"{path}: kept for the next command, since it could not be delivered to MLflow: {one_line(error)}")
            if error.get_http_status_code() >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return  # the store fails, not this file


@contextmanager
def request_limits(seconds: float) -> Iterator[None]:
    """Let no request to a server take longer, and repeat none."""
    limits = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, round(seconds)))}
    before = {name: os.environ[name] for name in limits if name in os.environ}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name in limits:
            del os.environ[name]
        os.environ.update(before)
