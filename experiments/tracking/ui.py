"""MLflow's web interface over the project's store."""

import os
import socket
import sys
from collections.abc import Mapping

from experiments.settings.project import Project
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.urls import hide_password
from experiments.tracking.order import put_first
from experiments.tracking.store import FILE, connect, own_uri, store_uri
from experiments.tracking.view import runs_address, share_view

HOST = "127.0.0.1"


def serve(project: Project, port: int) -> None:
    """Replace this process by MLflow's server, on loopback; returns only by raising.

    Raises:
        TandemError: the port is taken, or MLFLOW_TRACKING_URI names a server, which has an interface of its own.
    """
    uri = store_uri(project)
    if uri.startswith(("http://", "https://")):
        raise TandemError(
            f"MLFLOW_TRACKING_URI: expected a store on this machine; got the server {hide_password(uri)}: open that"
        )
    _check_port(port)
    experiment = connect(project)
    share_view(experiment)
    if uri == own_uri(project):
        put_first(project.mlruns / FILE)
    say(f"MLflow: {runs_address(f'http://{HOST}:{port}', experiment)}")
    say(f"Runs are in {hide_password(uri)}; Ctrl-C stops the server.")
    os.execve(sys.executable, server_command(project, port), server_environment(uri, os.environ))  # noqa: S606


def server_command(project: Project, port: int) -> list[str]:
    """Return the command line of the server."""
    return [
        *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
        *("--host", HOST, "--port", str(port)),
        *("--default-artifact-root", project.artifacts),
    ]


def server_environment(uri: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the server.

    The store's address may hold a password, and every user of the machine can read command lines.
    Job execution, which Tandem has no use for, would take 8 processes and 2 GB more (measured on MLflow 3.17).
    """
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**environment, **settings, "MLFLOW_BACKEND_STORE_URI": uri}


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise TandemError(f"--port: expected a free port; {port} is taken; choose another") from None
