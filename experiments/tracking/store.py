"""MLflow's store: where it is, and how a command connects to it."""

import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import filelock
import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from sqlalchemy.exc import SQLAlchemyError

from experiments.settings.project import Project
from experiments.system.checks import Check
from experiments.system.databases import check_server, sqlite_file
from experiments.system.errors import TandemError
from experiments.system.files import new_database
from experiments.system.sqlite import check_journal, set_journal
from experiments.system.urls import hide_password, one_line
from experiments.tracking import spool
from experiments.tracking.abandoned import close_abandoned_runs
from experiments.tracking.moved import mend_paths
from experiments.tracking.runs import NOTE

StoreError = MlflowException
EXPERIMENT, FILE = "tandem", "mlflow.db"
HEALTH_SECONDS = 5
# Of the description of an experiment.
MOST_CHARACTERS, LEFT_OUT = 20_000, "\n\n(more than MLflow has room for)"


def store_uri(project: Project) -> str:
    """Return where runs are tracked: MLFLOW_TRACKING_URI, or SQLite under mlruns/. It may hold a password."""
    return os.environ.get("MLFLOW_TRACKING_URI") or own_uri(project)


def own_uri(project: Project) -> str:
    """Return the address of the project's own store, SQLite under mlruns/."""
    return f"sqlite:///{project.mlruns / FILE}"


def exists(project: Project) -> bool:
    """Return whether a store may have runs: the project's own one is made with the first."""
    return store_uri(project) != own_uri(project) or (project.mlruns / FILE).is_file()


def connect(project: Project) -> str:
    """Connect to the store, creating it if need be, and return the experiment's id.

    What earlier commands could not deliver is delivered, and runs that they left open are closed.

    Raises:
        TandemError: MLFLOW_TRACKING_URI names a server that doesn't answer, or one that refuses the login.
    """
    experiment = open_experiment(project)
    spool.deliver_all()
    close_abandoned_runs(experiment)
    return experiment


def open_experiment(project: Project) -> str:
    """Connect to the store, and leave what it holds as it is, but for the paths in the store of a project that moved.

    Raises:
        TandemError: as `connect`.
    """
    # MLflow announces every step it takes; its warnings about its own internals are no help to a user either.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    # MLflow prints what its database refuses with a traceback, and raises it too: raising is enough.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="mlflow")
    uri = store_uri(project)
    _check_server(uri)
    try:
        check_server(uri)
        mlflow.set_tracking_uri(uri)
        experiment = _experiment(project, uri)
    except (MlflowException, ImportError, SQLAlchemyError, sqlite3.Error, ValueError) as error:
        if isinstance(error, MlflowException):
            _check_login(uri, error.get_http_status_code())
        raise _refusal(uri, error) from None
    spool.use(project.spool)
    return experiment


@contextmanager
def opened_briefly() -> Iterator[None]:
    """Give this process, at the end of the block, the store back that MLflow used before it."""
    before = os.environ.get("MLFLOW_TRACKING_URI")  # where MLflow, too, notes which store it uses
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def describe(experiment: str, text: str) -> None:
    """Give an experiment its description, in Markdown; lines that MLflow has no room for are left out."""
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - len(LEFT_OUT)].rpartition("\n")[0] + LEFT_OUT
    MlflowClient().set_experiment_tag(experiment, NOTE, text)


def check_store(project: Project) -> Check:
    """Return whether the store can be where it is, and answers if it is a server; nothing is created."""
    what, uri = "MLflow's store", store_uri(project)
    if uri.startswith("sqlite:"):
        return check_journal(what, sqlite_file(uri), "tandem runs")
    try:
        _check_server(uri)
        check_server(uri)
    except (TandemError, SQLAlchemyError, ImportError, ValueError) as error:
        return Check.of_error(what, error if isinstance(error, TandemError) else _refusal(uri, error))
    known = uri.startswith(("http://", "https://", "postgresql", "mysql", "mssql"))
    found = f"{hide_password(uri)} {'answers' if known else 'was not asked: neither a server nor a database'}"
    return Check.of(what, found, good=known, remedy="try it with `tandem runs`", otherwise="warning")


def _refusal(uri: str, error: Exception) -> TandemError:
    return TandemError(
        f"MLFLOW_TRACKING_URI: expected a store that MLflow can open; got {hide_password(uri)!r}: "
        f"{one_line(error, 200)}",
        advice="correct it, or unset it to use mlruns/",
    )


def _check_server(uri: str) -> None:
    if not uri.startswith(("http://", "https://")):
        return
    try:
        # MLflow's own client, since it knows the user's login, token and certificates.
        creds = get_default_host_creds(uri)
        response = http_request(creds, "/health", "GET", timeout=HEALTH_SECONDS, max_retries=0, raise_on_status=False)
        _check_login(uri, response.status_code)
        problem = "" if response.ok else f"HTTP {response.status_code}"
    except MlflowException as error:
        problem = type(error.__context__ or error).__name__
    if problem:
        raise TandemError(
            f"MLFLOW_TRACKING_URI: expected an MLflow server that answers; got {problem} from {hide_password(uri)}",
            advice="start it, or unset the variable to use mlruns/",
        )


def _check_login(uri: str, status: int) -> None:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise TandemError(
            "MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD: expected a login for the server "
            f"{hide_password(uri)}; got HTTP {status} ({HTTPStatus(status).phrase})",
            advice="set both, or MLFLOW_TRACKING_TOKEN",
        )


def _experiment(project: Project, uri: str) -> str:
    project.mlruns.mkdir(parents=True, exist_ok=True)
    # Processes that create one database at the same time break each other's migration of it, and the first client
    # creates it.
    with filelock.FileLock(project.mlruns / ".lock"):
        if uri == own_uri(project):
            _create(project)
            set_journal(project.mlruns / FILE)
            mend_paths(project, project.mlruns / FILE, EXPERIMENT)
        client = MlflowClient()
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return str(experiment.experiment_id)
        local = project.artifacts if uri.startswith("sqlite:") else None
        return str(client.create_experiment(EXPERIMENT, artifact_location=local))


def _create(project: Project) -> None:
    """Make the project's database, unless it is there: MLflow can't continue its migrations after a kill."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # takes a second, which a server doesn't need

    file = project.mlruns / FILE
    if not file.exists():
        with new_database(file) as part:
            SqlAlchemyStore(f"sqlite:///{part}", project.artifacts).engine.dispose()
