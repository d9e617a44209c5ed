"""MLflow: the only file that talks to it."""

import importlib
import logging
import os
import platform
import socket
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

# Read when MLflow is imported: send no usage statistics, keep asynchronous writes in order, draw no progress bars.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ASYNC_LOGGING_THREADPOOL_SIZE", "1")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import filelock
import mlflow
import numpy as np
import numpy.typing as npt
import psutil
import requests
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.utils.async_logging.run_operations import RunOperations
from sqlalchemy.exc import SQLAlchemyError

from experiments.console import warn
from experiments.errors import Stopped, TandemError
from experiments.project import Project
from experiments.quiet import quiet_native_stderr

EXPERIMENT = "tandem"
SYSTEM_METRICS_SECONDS = 5
SEND_SECONDS = 2
# Who runs a run: to tell, later, whether that process is still there.
HOST, PID, STARTED = "tandem.host", "tandem.pid", "tandem.process_started"
CLOSED_BECAUSE = "tandem.closed_because"
PAGE = 1000


def store_uri(project: Project) -> str:
    """Return where runs are tracked: MLFLOW_TRACKING_URI, or SQLite under mlruns/."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project.mlruns / 'mlflow.db'}"


def connect(project: Project) -> str:
    """Connect to the store, creating it if need be, close what was left open, and return the experiment's id.

    Raises:
        TandemError: MLFLOW_TRACKING_URI names a server that doesn't answer.
    """
    # MLflow announces every step it takes; its warnings about its own internals are no help to a user either.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="mlflow")
    uri = store_uri(project)
    _check_server(uri)
    try:
        mlflow.set_tracking_uri(uri)
        experiment = _experiment(project, uri)
    except (MlflowException, ImportError, SQLAlchemyError) as error:
        raise TandemError(
            f"MLFLOW_TRACKING_URI: expected a store that MLflow can open; got {uri!r}: "
            f"{str(error).splitlines()[0][:200]}"
        ) from None
    close_abandoned_runs(experiment)
    return experiment


def _check_server(uri: str) -> None:
    if not uri.startswith(("http://", "https://")):
        return
    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=5).raise_for_status()
    except requests.RequestException as error:
        raise TandemError(
            f"MLFLOW_TRACKING_URI: expected an MLflow server that answers; got {type(error).__name__} "
            f"from {urlparse(uri).netloc}; start it, or unset the variable to use mlruns/"
        ) from None


def _experiment(project: Project, uri: str) -> str:
    project.mlruns.mkdir(parents=True, exist_ok=True)
    # Processes that create one SQLite database at the same time break each other's migration of it, and the first
    # client creates it.
    with filelock.FileLock(project.mlruns / ".lock"):
        client = MlflowClient()
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        local = project.artifacts if uri.startswith("sqlite:") else None
        return str(client.create_experiment(EXPERIMENT, artifact_location=local))


def search(experiment: str, query: str) -> list[Run]:
    """Return all runs that match, the newest first."""
    runs, token = [], None
    while True:
        page = MlflowClient().search_runs([experiment], query, max_results=PAGE, page_token=token)
        runs.extend(page)
        token = page.token
        if not token:
            return runs


def close_abandoned_runs(experiment: str) -> list[str]:
    """Mark as KILLED the RUNNING runs of processes of this machine that are gone, and return their ids."""
    closed = []
    for run in search(experiment, f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'"):
        if not _alive(run.data.tags):
            client = MlflowClient()
            client.set_tag(run.info.run_id, CLOSED_BECAUSE, "its process is gone")
            client.set_terminated(run.info.run_id, "KILLED")
            closed.append(run.info.run_id)
    if closed:
        warn(f"closed {len(closed)} MLflow run(s) that a killed process had left RUNNING: {', '.join(closed)}")
    return closed


def _alive(tags: Mapping[str, str]) -> bool:
    try:
        process = psutil.Process(int(tags[PID]))
        # A number is given to a new process in time; the start tells them apart (written with 2 decimals).
        return abs(process.create_time() - float(tags[STARTED])) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, psutil.NoSuchProcess):
        return False


def _owner_tags() -> dict[str, str]:
    process = psutil.Process()
    return {HOST: socket.gethostname(), PID: str(process.pid), STARTED: f"{process.create_time():.2f}"}


def find_run(run_id: str) -> Run | None:
    """Return a run that is there and not deleted."""
    try:
        run = MlflowClient().get_run(run_id)
    except MlflowException as error:
        # Anything else (a store that is busy, a server that is away) says nothing about the run.
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


class Tracker:
    """An open run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._client = MlflowClient()
        self._buffer: list[Metric] = []
        self._pending: list[tuple[list[Metric], RunOperations]] = []
        self._sent = time.monotonic()
        self._logged = self._already_logged()

    def _already_logged(self) -> set[tuple[str, int]]:
        names = self._client.get_run(self.run_id).data.metrics
        return {
            (name, point.step)
            for name in names
            if not name.startswith("system/")
            for point in self._client.get_metric_history(self.run_id, name)
        }

    def metrics(self, points: Iterable[tuple[str, float, int]]) -> None:
        """Log (name, value, step) without waiting; a step that the run has already is left as it is.

        Points gather for some seconds, since the store takes 10 ms or more for one and not much longer for hundreds.
        """
        now = int(time.time() * 1000)
        for name, value, step in points:
            if (name, step) not in self._logged:
                self._logged.add((name, step))
                self._buffer.append(Metric(name, value, now, step))
        if time.monotonic() - self._sent > SEND_SECONDS:
            self._send()

    def _send(self) -> None:
        for start in range(0, len(self._buffer), PAGE):
            batch = self._buffer[start : start + PAGE]
            done = self._client.log_batch(self.run_id, metrics=batch, synchronous=False)
            self._pending.append((batch, done))
        self._buffer, self._sent = [], time.monotonic()

    def flush(self) -> None:
        """Wait until every metric is in the store; one that failed on its way is sent again.

        Raises:
            MlflowException: the store doesn't take it the second time either.
        """
        self._send()
        for batch, done in self._pending:
            try:
                done.wait()
            except MlflowException:
                self._client.log_batch(self.run_id, metrics=batch, synchronous=True)
        self._pending.clear()

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters; a resumed run has them already, with the same values."""
        mlflow.log_params(values)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        mlflow.set_tags(values)

    def file(self, path: Path) -> None:
        """Keep a copy of a file."""
        mlflow.log_artifact(str(path))

    def text(self, content: str, name: str) -> None:
        """Keep a text as a file of that name."""
        mlflow.log_text(content, name)

    def figure(self, figure: Figure, name: str) -> None:
        """Keep a picture as a file of that name."""
        mlflow.log_figure(figure, name)

    def dataset(
        self,
        name: str,
        fingerprint: str,
        source: Path,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.uint8],
    ) -> None:
        """Record the images and labels that the run trains on as its input."""
        if self._client.get_run(self.run_id).inputs.dataset_inputs:
            return  # a resumed run
        # MLflow takes 36 characters of a digest.
        record = mlflow.data.from_numpy(images, source=str(source), targets=labels, name=name, digest=fingerprint[:32])
        mlflow.log_input(record, context="training")

    def model(self, backend: str, model: Any, example: npt.NDArray[np.uint8], logits: npt.NDArray[np.float32]) -> None:
        """Log a native model in its own flavour, with a signature from an example (at least 2 images) and its logits.

        Its requirements are the installed versions of the framework, written out: MLflow would take long to guess.
        """
        flavour, packages = _FLAVOURS[backend]
        module = importlib.import_module(f"mlflow.{flavour}")
        # A local build's suffix (2.13.0+cpu) can't be installed elsewhere.
        requirements = [f"{name}=={version(name).split('+')[0]}" for name in packages]
        with quiet_native_stderr():
            module.log_model(
                model,
                name="model",
                signature=infer_signature(example, logits),
                input_example=example,
                pip_requirements=requirements,
            )


# `mlflow.keras` fails when it is given an input example (mlflow issue 16183); `mlflow.tensorflow` writes .keras too.
_FLAVOURS = {
    "lightning": ("pytorch", ("torch", "numpy")),
    "keras": ("tensorflow", ("tensorflow", "keras", "numpy")),
}


@contextmanager
def track(name: str, *, experiment: str, tags: Mapping[str, str], resume: str | None = None) -> Iterator[Tracker]:
    """Open a run, or go on with the one called `resume`, and close it: FINISHED, FAILED or KILLED.

    FAILED is an exception, KILLED is `Stopped`; both go on to the caller once every metric is in the store.
    """
    mlflow.set_system_metrics_sampling_interval(SYSTEM_METRICS_SECONDS)
    mlflow.enable_system_metrics_logging()
    # With the tags from its first moment on, so that a kill at any time leaves a run that can be told to be abandoned.
    marked = {**tags, **_owner_tags(), "mlflow.note.content": _note(tags)}
    where = {"run_id": resume} if resume else {"experiment_id": experiment, "run_name": name}
    run = mlflow.start_run(**where, tags=marked)
    status = "FAILED"
    try:
        if CLOSED_BECAUSE in run.data.tags:
            mlflow.delete_tag(CLOSED_BECAUSE)
        tracker = Tracker(run.info.run_id)
        try:
            yield tracker
        finally:
            tracker.flush()
        status = "FINISHED"
    except (Stopped, KeyboardInterrupt):
        status = "KILLED"
        raise
    finally:
        mlflow.end_run(status)


def _note(tags: Mapping[str, str]) -> str:
    command = (
        f"sweep {tags['sweep']}" if "sweep" in tags else f"train {tags['recipe']} {tags['backend']} {tags['seed']}"
    )
    return f"`tandem {command}` on {tags['dataset']}, Python {platform.python_version()}"
