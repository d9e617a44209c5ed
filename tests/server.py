"""Servers that tests start: any that answers at /health, and MLflow's, for tests that take it away."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from experiments.settings.project import Project
from experiments.tracking.ui import server_command, server_environment


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(process: subprocess.Popen[str], port: int) -> Iterator[str]:
    """Wait until a server answers; stop it and all that it started at the end."""
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if requests.get(f"{url}/health", timeout=1).ok:
                    break
            except requests.RequestException:
                assert process.poll() is None, process.communicate()[0]
                time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Server:
    """MLflow's server on a port of its own, over a database that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder, self.url = folder, f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = server_command(Project(self.folder, self.folder), self.port)
        environment = server_environment(f"sqlite:///{self.folder}/server.db", os.environ)
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(300):
            try:
                if requests.get(f"{self.url}/health", timeout=1).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError("the server doesn't answer")

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)
        if number == signal.SIGKILL:
            self.process.wait()
