"""MLflow's store: where it is, which runs it holds, and runs that a killed process left open."""

import logging
import os
import socket
import time
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlparse

import filelock
import mlflow
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from experiments.settings.project import Project
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.system.processes import ProcessId

EXPERIMENT = "tandem"
# Who runs a run: to tell, later, whether that process is still there.
HOST, PID, STARTED = "tandem.host", "tandem.pid", "tandem.process_started"
CLOSED_BECAUSE, PROCESS_GONE = "tandem.closed_because", "its process is gone"
PAGE = 1000


def store_uri(project: Project) -> str:
    """Return where runs are tracked: MLFLOW_TRACKING_URI, or SQLite under mlruns/."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project.mlruns / 'mlflow.db'}"


def connect(project: Project) -> str:
    """Connect to the store, creating it if need be, close what was left open, and return the experiment's id.

    Raises:
        TandemError: MLFLOW_TRACKING_URI names a server that doesn't answer.
    """
    experiment = open_experiment(project)
    close_abandoned_runs(experiment)
    return experiment


def open_experiment(project: Project) -> str:
    """Connect to the store, and leave what it holds as it is.

    Raises:
        TandemError: as `connect`.
    """
    # MLflow announces every step it takes; its warnings about its own internals are no help to a user either.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    # What its database refuses it prints with a traceback and raises too: the raising is enough.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
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


def find_tagged(experiment: str, tags: Mapping[str, str]) -> str | None:
    """Return the id of the oldest run that is there and has all of these tags."""
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = search(experiment, query)
    return found[-1].info.run_id if found else None


def close_abandoned_runs(experiment: str) -> list[str]:
    """ProcessId as KILLED the RUNNING runs of processes of this machine that are gone, and return their ids."""
    running = search(experiment, f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'")
    closed = [run.info.run_id for run in running if is_abandoned(run)]
    for run_id in closed:
        close_abandoned(run_id)
    if closed:
        warn(f"closed {len(closed)} MLflow run(s) that a killed process had left RUNNING: {', '.join(closed)}")
    return closed


def is_abandoned(run: Run) -> bool:
    """Return whether a run is RUNNING although its process, one of this machine, is gone."""
    here = run.data.tags.get(HOST) == socket.gethostname()
    return run.info.status == "RUNNING" and here and not _alive(run.data.tags)


def close_abandoned(run_id: str) -> None:
    """ProcessId a run as KILLED, and say why."""
    client = MlflowClient()
    client.set_tag(run_id, CLOSED_BECAUSE, PROCESS_GONE)
    client.set_terminated(run_id, "KILLED")


def _alive(tags: Mapping[str, str]) -> bool:
    try:
        return ProcessId.read({"host": tags[HOST], "pid": tags[PID], "started": tags[STARTED]}).is_alive()
    except KeyError:
        return False


def owner_tags() -> dict[str, str]:
    """Return tags that say which process writes a run: this one."""
    mark = ProcessId.own()
    return {HOST: mark.host, PID: str(mark.pid), STARTED: f"{mark.started:.2f}"}


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


def add_files(run_id: str, files: Iterable[Path]) -> None:
    """Keep copies of files in a run that may be closed already."""
    for file in files:
        MlflowClient().log_artifact(run_id, str(file))


def finish_run(run_id: str) -> None:
    """ProcessId a run as FINISHED."""
    MlflowClient().set_terminated(run_id, "FINISHED")


def set_tag(run_ids: Iterable[str], name: str, value: str) -> None:
    """Set a tag of runs that may be closed already."""
    for run_id in run_ids:
        MlflowClient().set_tag(run_id, name, value)


def delete_run(run_id: str) -> None:
    """Delete a run, so that `mlflow runs restore` can bring it back."""
    MlflowClient().delete_run(run_id)


def write_run(
    experiment: str,
    name: str,
    *,
    tags: Mapping[str, str],
    params: Mapping[str, object],
    points: Iterable[tuple[str, float, int]],
) -> str:
    """Write a FINISHED run of something that is over, from (metric, value, step); return its id."""
    client, now = MlflowClient(), int(time.time() * 1000)
    run_id: str = client.create_run(experiment, run_name=name, tags={**tags, **owner_tags()}).info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(metric, value, now, step) for metric, value, step in points],
        params=[Param(key, str(value)) for key, value in params.items()],
        tags=[RunTag("mlflow.note.content", "written afterwards, by `tandem sweep reconcile`")],
    )
    client.set_terminated(run_id, "FINISHED")
    return run_id
