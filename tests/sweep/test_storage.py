"""A storage that can't be reached is one line, and no secret is in it; a file that two processes share."""

import sqlite3

import pytest
import sqlalchemy

from experiments.settings.project import Project
from experiments.sweep import storage
from experiments.sweep.storage import VARIABLE, connect, reason_of, shown_url
from experiments.system import sqlite
from experiments.system.errors import TandemError
from tests.dying import die

UNREACHABLE = [
    "postgresql://u:s3cret@127.0.0.1:9/d",
    "postgresql://u@127.0.0.1:9/d?password=s3cret",
    "postgresql://u:s3cret@h:notaport/d",
    "postgresql://u:s3cret",
    "postgresql://u@127.0.0.1:9/d?port=s3cret&password=s3cret",
    "postgresql://u:a@s3cret@127.0.0.1:9/d",
    "postgresql://u:s3cret@[::1/d",
    "postgresql:u:s3cret@h/d",
    "u:s3cret@h/d",
    "host=h password=s3cret dbname=d",
    "nodialect://u:s3cret@h/d",
]


@pytest.mark.parametrize("url", UNREACHABLE)
def test_the_password_of_a_storage_is_never_printed(
    project: Project, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(TandemError) as caught:
        connect(project)
    assert str(caught.value).startswith(f"{VARIABLE}: expected a database that can be reached")
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("variable", [VARIABLE, "MLFLOW_TRACKING_URI"])
def test_a_reason_quotes_no_secret_of_either_store(
    project: Project, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://u:p%40ss@host/d")
    error = RuntimeError("no answer from http://u:p%40ss@host/d\nfor u with p@ss")
    assert reason_of(error, project) == "no answer from http://u:***@host/d for u with ***"


def test_an_address_without_a_secret_is_shown_as_it_is(project: Project) -> None:
    assert shown_url(project) == f"sqlite:///{project.mlruns / 'optuna.db'}"
    assert reason_of(OSError("disk full"), project) == "disk full"


def test_a_file_that_can_t_be_made_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{project.root}/no/such/folder/optuna.db")
    with pytest.raises(TandemError, match=r"^TANDEM_SWEEP_STORAGE: expected a database that can be reached; got"):
        connect(project)


@pytest.mark.parametrize(("filesystem", "journal"), [("ext4", "wal"), ("nfs4", "delete"), ("lustre", "delete")])
def test_a_file_on_a_network_has_no_log_in_shared_memory(
    project: Project, monkeypatch: pytest.MonkeyPatch, filesystem: str, journal: str
) -> None:
    monkeypatch.setattr(sqlite, "filesystem_of", lambda folder: filesystem)
    with connect(project).engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == journal


def test_a_file_that_was_moved_to_a_network_changes_its_journal(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(project).engine.dispose()
    monkeypatch.setattr(sqlite, "filesystem_of", lambda folder: "nfs")
    connect(project).engine.dispose()
    with sqlite3.connect(project.mlruns / "optuna.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.parametrize("statement", ["CREATE UNIQUE INDEX", "CREATE TABLE alembic_version", "CREATE TABLE tandem"])
def test_a_kill_while_the_tables_are_made_leaves_none(project: Project, statement: str) -> None:
    die(project, storage.__name__, statement)
    assert not (project.mlruns / "optuna.db").exists()
    tables = sqlalchemy.inspect(connect(project).engine)
    assert {"tandem_leases", "trials", "alembic_version"} <= set(tables.get_table_names())
    assert [index["unique"] for index in tables.get_indexes("studies")] == [1]  # of its name
    assert not [path.name for path in project.mlruns.iterdir() if ".part" in path.name]
