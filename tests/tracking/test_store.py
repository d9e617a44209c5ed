"""Connecting: logins, and passwords that nobody gets to read."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from experiments.settings.project import Project
from experiments.system import sqlite
from experiments.system.errors import TandemError
from experiments.tracking import store
from experiments.tracking.ui import serve, server_command, server_environment
from tests.dying import die

LOGIN = "Basic " + base64.b64encode(b"user:secret").decode()


class Guarded(BaseHTTPRequestHandler):
    """A proxy that asks for a login, before a server that fails."""

    def do_GET(self) -> None:
        self.send_response(503 if self.headers["Authorization"] == LOGIN else 401)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def guarded() -> Iterator[int]:
    """The port of a server that asks for a login."""
    with HTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def _refusal(project: Project, monkeypatch: pytest.MonkeyPatch, uri: str) -> str:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TandemError) as caught:
        store.connect(project)
    message = str(caught.value)
    assert "\n" not in message
    assert "secret" not in message
    return message


def test_a_refused_login_names_the_settings(project: Project, monkeypatch: pytest.MonkeyPatch, guarded: int) -> None:
    message = _refusal(project, monkeypatch, f"http://127.0.0.1:{guarded}")
    assert message.startswith("MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD: expected a login for the server ")
    assert "got HTTP 401 (Unauthorized)" in message


def test_the_check_uses_the_login_that_mlflow_has(
    project: Project, monkeypatch: pytest.MonkeyPatch, guarded: int
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "user")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    assert "got HTTP 503 from" in _refusal(project, monkeypatch, f"http://127.0.0.1:{guarded}")


def test_a_certificate_that_is_missing_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/nowhere.pem")
    assert "got OSError from https://127.0.0.1:1;" in _refusal(project, monkeypatch, "https://127.0.0.1:1")


@pytest.mark.parametrize(
    "uri",
    [
        "http://user:secret@127.0.0.1:1",
        "http://user:secret@127.0.0.1:port",
        "http://user:sec/ret@127.0.0.1:1",
        "http://user:secret@[::1",
        "postgresql://user:secret@127.0.0.1:1/db",
        "postgresql://user:secret@127.0.0.1:port/db",
        "postgresql://127.0.0.1:1/db?user=user&password=secret",
        "bogus://user:secret@host",
    ],
)
def test_no_password_is_in_a_message(project: Project, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    assert "MLFLOW_TRACKING_URI: expected " in _refusal(project, monkeypatch, uri)


def test_the_server_gets_a_password_by_its_environment_alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "postgresql://user:secret@host/db"
    assert not [word for word in server_command(project, 5000) if "secret" in word]
    assert server_environment(uri, {})["MLFLOW_BACKEND_STORE_URI"] == uri
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@host")
    with pytest.raises(TandemError, match=r"got the server http://user:\*\*\*@host: open that"):
        serve(project, 5000)


@pytest.mark.parametrize(("filesystem", "journal"), [("ext4", "wal"), ("nfs4", "delete")])
def test_the_database_has_a_write_ahead_log_where_that_works(
    project: Project, monkeypatch: pytest.MonkeyPatch, filesystem: str, journal: str
) -> None:
    monkeypatch.setattr(sqlite, "filesystem_of", lambda folder: filesystem)
    store.connect(project)
    assert sqlite.journal_of(project.mlruns / store.FILE) == journal


def test_a_kill_while_the_database_is_made_leaves_none(project: Project) -> None:
    for statement in ("CREATE TABLE tags", "INSERT", "CREATE TABLE tags"):
        die(project, store.__name__, statement)
        assert {".mlflow.db.part", ".mlflow.db.part-journal"} & {path.name for path in project.mlruns.iterdir()}
        assert not (project.mlruns / "mlflow.db").exists()
    assert store.connect(project) == store.connect(project)
    assert {".lock", "mlflow.db"} <= {path.name for path in project.mlruns.iterdir()}
    assert not list(project.mlruns.glob("*.part*"))


def test_a_database_of_the_user_s_is_left_to_mlflow(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project.root / 'other.db'}")
    store.connect(project)
    assert (project.root / "other.db").is_file()
    assert not (project.mlruns / "mlflow.db").exists()
