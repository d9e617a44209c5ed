"""Where studies are kept: Optuna's tables in SQLite beside MLflow's, or in a database of the user's."""

import logging
import os
import re
import warnings
from typing import Any

import filelock
import optuna
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from experiments.settings.project import Project
from experiments.sweep.heartbeat import INTERVAL_SECONDS, SILENCE_SECONDS
from experiments.system.errors import TandemError

VARIABLE = "TANDEM_SWEEP_STORAGE"
# How long a process waits for others to finish their writes; with eight of them a write takes milliseconds.
BUSY_SECONDS = 60


def storage_url(project: Project) -> str:
    """Return TANDEM_SWEEP_STORAGE, or SQLite under mlruns/."""
    url = os.environ.get(VARIABLE) or f"sqlite:///{project.mlruns / 'optuna.db'}"
    # Named without a driver, PostgreSQL's is psycopg 2 to older versions of SQLAlchemy; version 3 is installed.
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def shown_url(project: Project) -> str:
    """Return the address as it may be printed, without a password."""
    try:
        return make_url(storage_url(project)).render_as_string(hide_password=True)
    except ArgumentError:
        return storage_url(project)


def connect(project: Project) -> optuna.storages.RDBStorage:
    """Open the storage, and create its tables where there are none.

    Raises:
        TandemError: it can't be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    url = storage_url(project)
    project.mlruns.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {}
    if url.startswith("sqlite:"):
        options = {"connect_args": {"timeout": BUSY_SECONDS}}
    try:
        # Processes that create the tables at the same time get into each other's way.
        with filelock.FileLock(project.mlruns / ".optuna.lock"):
            storage = optuna.storages.RDBStorage(
                url, engine_kwargs=options, heartbeat_interval=INTERVAL_SECONDS, grace_period=SILENCE_SECONDS
            )
    except (SQLAlchemyError, ImportError, RuntimeError, optuna.exceptions.StorageInternalError) as error:
        reason = str(error.__cause__ or error).splitlines()[0][:200]
        raise TandemError(
            f"{VARIABLE}: expected a database that can be reached; got {shown_url(project)!r}: {reason}"
        ) from None
    if url.startswith("sqlite:"):
        _take_turns(storage.engine)
    return storage


def _take_turns(engine: Engine) -> None:
    """Have every transaction take SQLite's write lock at its beginning.

    By default a transaction that reads before it writes can find, when it comes to write, that another has written
    since: SQLite then refuses at once, whatever the timeout ("database is locked").
    This is SQLAlchemy's documented recipe (SQLite dialect, "Serializable isolation / Savepoints / Transactional DDL").
    """

    @event.listens_for(engine, "connect")
    def no_implicit_begin(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin_immediate(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections that were opened without it
