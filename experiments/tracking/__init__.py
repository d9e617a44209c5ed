"""MLflow: the only package that talks to it."""

import os

# Read when MLflow is imported: send no usage statistics, draw no progress bars.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow.entities import Run
from mlflow.exceptions import MlflowException as StoreError

from experiments.tracking.run import Tracker, track
from experiments.tracking.store import (
    CLOSED_BECAUSE,
    HOST,
    PID,
    PROCESS_GONE,
    STARTED,
    add_files,
    close_abandoned,
    close_abandoned_runs,
    connect,
    delete_run,
    find_run,
    find_tagged,
    finish_run,
    is_abandoned,
    open_experiment,
    owner_tags,
    search,
    set_tag,
    store_uri,
    write_run,
)

__all__ = [
    "CLOSED_BECAUSE",
    "HOST",
    "PID",
    "PROCESS_GONE",
    "STARTED",
    "Run",
    "StoreError",
    "Tracker",
    "add_files",
    "close_abandoned",
    "close_abandoned_runs",
    "connect",
    "delete_run",
    "find_run",
    "find_tagged",
    "finish_run",
    "is_abandoned",
    "open_experiment",
    "owner_tags",
    "search",
    "set_tag",
    "store_uri",
    "track",
    "write_run",
]
