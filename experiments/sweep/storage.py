"""Where studies are kept: Optuna's tables in SQLite beside MLflow's, or in a database of the user's."""

import logging
import os
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import filelock
import optuna
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from experiments.settings.project import Project
from experiments.sweep.lease import LEASES
from experiments.system.checks import Check
from experiments.system.databases import check_server, sqlite_file
from experiments.system.errors import TandemError
from experiments.system.files import new_database
from experiments.system.sqlite import check_journal, journal_for
from experiments.system.urls import hide_password
from experiments.tracking import store

VARIABLE = "TANDEM_SWEEP_STORAGE"
# A part of an address, between its separators.
WORD = re.compile(r"[^\s:/@?&=]+")
# How long a process waits for others to finish their writes; with eight of them a write takes milliseconds.
BUSY_SECONDS = 60


def storage_url(project: Project) -> str:
    """Return TANDEM_SWEEP_STORAGE, or SQLite under mlruns/."""
    url = os.environ.get(VARIABLE) or f"sqlite:///{own_file(project)}"
    # Named without a driver, PostgreSQL's is psycopg 2 to older versions of SQLAlchemy; version 3 is installed.
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def own_file(project: Project) -> Path:
    """Return the project's own database of studies."""
    return project.mlruns / "optuna.db"


def shown_url(project: Project) -> str:
    """Return the address as it may be printed, without a password."""
    return hide_password(storage_url(project))


def reason_of(error: BaseException, project: Project) -> str:
    """Return an error's message as a short line, without the secrets of the stores' addresses."""
    text = " ".join(str(error).split())
    for url in (storage_url(project), store.store_uri(project)):
        # An error may quote a part of the address alone: what was taken for the host, or for the port.
        secrets = set(WORD.findall(url)) - set(WORD.findall(hide_password(url)))
        for secret in sorted(secrets | {unquote(word) for word in secrets}, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text[:300]


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
    is_sqlite = url.startswith("sqlite:")
    # A server may have been restarted since a connection was opened.
    options = {"connect_args": {"timeout": BUSY_SECONDS}} if is_sqlite else {"pool_pre_ping": True}
    try:
        # Processes that create the tables at the same time get into each other's way.
        with filelock.FileLock(project.mlruns / ".optuna.lock"):
            if url == f"sqlite:///{own_file(project)}" and not own_file(project).exists():
                with new_database(own_file(project)) as part:
                    _open(f"sqlite:///{part}", options).engine.dispose()
            storage = _open(url, options)
    except (SQLAlchemyError, ImportError, RuntimeError, ValueError, optuna.exceptions.StorageInternalError) as error:
        reason = reason_of(error.__cause__ or error, project)
        raise TandemError(
            f"{VARIABLE}: expected a database that can be reached; got {shown_url(project)!r}: {reason}; "
            "write it as postgresql://USER@HOST/DATABASE, and start it"
        ) from None
    if is_sqlite:
        _take_turns(storage.engine, journal_for(project.mlruns))
    return storage


def check_database(project: Project) -> Check:
    """Return whether the studies' database can be where it is, and answers if it is a server; nothing is created."""
    url = storage_url(project)
    if url.startswith("sqlite:"):
        return check_journal("database of studies", sqlite_file(url), "tandem sweep status")
    try:
        check_server(url)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        remedy = f"start it, or correct {VARIABLE}, or unset it to use mlruns/"
        return Check("database of studies", "problem", f"{shown_url(project)}: {reason_of(error, project)}", remedy)
    return Check("database of studies", "ok", f"{shown_url(project)} answers")


def _open(url: str, options: Mapping[str, Any]) -> optuna.storages.RDBStorage:
    """Open a storage, with all tables.

    Another checkout, which doesn't see the lock, may make them on a server at the same time. Of two that make the same,
    one is refused, and then finds it: Optuna's tables, Alembic's, or the leases'.
    """

    def open_once() -> optuna.storages.RDBStorage:
        storage = optuna.storages.RDBStorage(url, engine_kwargs=dict(options))
        LEASES.metadata.create_all(storage.engine)
        return storage

    for _ in range(3):
        with suppress(IntegrityError, ProgrammingError):
            return open_once()
    return open_once()


def _take_turns(engine: Engine, journal: str) -> None:
    """Have every transaction take SQLite's write lock at its beginning.

    By default a transaction that reads before it writes can find, when it comes to write, that another has written
    since: SQLite then refuses at once, whatever the timeout ("database is locked").
    This is SQLAlchemy's documented recipe (SQLite dialect, "Serializable isolation / Savepoints / Transactional DDL").
    """

    @event.listens_for(engine, "connect")
    def no_implicit_begin(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA journal_mode={journal}")

    @event.listens_for(engine, "begin")
    def begin_immediate(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections that were opened without it
