"""A real MLflow server, for tests that take it away."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

from experiments.settings.project import Project
from experiments.tracking.ui import server_command, server_environment


class Server:
    """MLflow's server on a port of its own, over a database that outlives it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
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
