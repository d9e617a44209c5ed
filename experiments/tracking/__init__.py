"""MLflow: the only package that talks to it."""

import os

# Read when MLflow is imported: send no usage statistics, draw no progress bars.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# MLflow's own 7 retries of up to 120 s each keep a command waiting for a server that is away, for up to 18 minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

from mlflow.entities import Run
from mlflow.exceptions import MlflowException as StoreError

from experiments.tracking.owners import STARTED, is_abandoned, owner_tags
from experiments.tracking.run import Tracker, track
from experiments.tracking.runs import (
    CLOSED_BECAUSE,
    PROCESS_GONE,
    add_files,
    close_abandoned,
    close_abandoned_runs,
    close_run,
    delete_run,
    find_run,
    find_tagged,
    finish_run,
    search,
    set_tag,
    write_run,
)
from experiments.tracking.store import connect, open_experiment, store_uri

__all__ = [
    "CLOSED_BECAUSE",
    "PROCESS_GONE",
    "STARTED",
    "Run",
    "StoreError",
    "Tracker",
    "add_files",
    "close_abandoned",
    "close_abandoned_runs",
    "close_run",
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
