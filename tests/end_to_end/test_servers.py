"""MLflow's server: the one that `tandem ui` starts, and one of somebody else's that runs are sent to."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import requests

from experiments.settings.project import Project
from experiments.tracking.ui import server_command, server_environment
from tests.browser import Browser, wait_for
from tests.end_to_end.conftest import Clone


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


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    clone.run("dvc", "repro", "preprocess", "sources")
    return clone


def test_ui_serves_the_project_s_runs_on_loopback_with_few_processes(prepared: Clone) -> None:
    prepared.run("tandem", "train", "lenet", "lightning", "1")
    port = free_port()
    process = prepared.start("tandem", "ui", "--port", str(port))
    with served(process, port) as url:
        runs = requests.post(
            f"{url}/api/2.0/mlflow/runs/search", json={"experiment_ids": ["1"], "max_results": 10}, timeout=30
        ).json()["runs"]
        assert [run["info"]["status"] for run in runs] == ["FINISHED"]
        run_id = runs[0]["info"]["run_id"]
        picture = requests.get(
            f"{url}/get-artifact", params={"path": "learning_curves.png", "run_uuid": run_id}, timeout=30
        )
        assert picture.content.startswith(b"\x89PNG")
        server = psutil.Process(process.pid)
        family = [server, *server.children(recursive=True)]
        assert len(family) <= 3
        # Every user of the machine can read command lines; the store's address may hold a password.
        assert not [word for p in family for word in p.cmdline() if "mlflow.db" in word]
        addresses = {c.laddr.ip for p in family for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
        assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("browser", ["wide"], indirect=True)  # MLflow draws the columns that are on the screen
def test_ui_opens_on_the_runs_with_their_test_accuracy(prepared: Clone, browser: Browser) -> None:
    prepared.run("tandem", "train", "lenet", "lightning", "1")
    prepared.run("tandem", "train", "lenet", "keras", "1")
    port = free_port()
    process = prepared.start("tandem", "ui", "--port", str(port))
    with served(process, port):
        assert process.stdout is not None
        said = process.stdout.readline()
        browser.get(said.split()[-1])
        wait_for(
            browser, "['lenet-lightning-1', 'lenet-keras-1'].every(each => document.body.innerText.includes(each))"
        )
        wait_for(browser, "document.body.innerText.includes('test/accuracy')")
        (run,) = [run for run in prepared.mlflow_runs() if run.info.run_name == "lenet-keras-1"][:1]
        assert run.data.tags["mlflow.runColor"] == "#D55E00"
        wait_for(browser, f"document.body.innerText.includes('{run.data.metrics['test/accuracy']:.4f}'.slice(0, 5))")


def test_a_training_is_tracked_on_the_server_that_the_environment_names(
    prepared: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    process = subprocess.Popen(
        server_command(Project(folder, folder), port),
        env=server_environment(f"sqlite:///{folder}/mlflow.db", os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    before = len(prepared.mlflow_runs())
    with served(process, port) as url:
        environment = {**prepared.environment(), "MLFLOW_TRACKING_URI": url}
        done = subprocess.run(
            ["tandem", "train", "lenet", "keras", "1"],
            cwd=prepared.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (run,) = prepared.mlflow_runs(uri=url)
        assert run.info.status == "FINISHED"
        assert run.data.metrics["test/accuracy"] > 0.5
    assert len(prepared.mlflow_runs()) == before
