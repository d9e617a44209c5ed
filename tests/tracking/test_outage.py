"""A real MLflow server that stops answering, is killed, and comes back, in the middle of a run."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from experiments.settings.project import Project
from experiments.system.checks import Check
from experiments.tracking import metrics, store
from experiments.tracking.run import track
from tests.conftest import ROOT
from tests.server import Server

COMMAND = "tandem train lenet lightning 1"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.signal(signal.SIGKILL)


@pytest.fixture
def server(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", shared_server.url)
    return shared_server


def get(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def steps(run_id: str, name: str = "a") -> list[int]:
    return sorted(point.step for point in MlflowClient().get_metric_history(run_id, name))


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def test_a_server_that_answers_is_good(project: Project, server: Server) -> None:
    assert store.check_store(project) == Check("MLflow's store", "ok", f"{server.url} answers")


# Logs a step every tenth of a second for ever, as a training does; main() closes it on a signal.
TRAINS = """
import sys, time
from pathlib import Path
from experiments.tracking import metrics, store
from experiments.tracking.run import track
from experiments.cli import main as cli
from experiments.settings.project import Project

def train():
    folder = Path(sys.argv[1])
    with track("n", experiment=store.connect(Project(folder, folder)), tags={}, command="") as tracker:
        print(tracker.run_id, flush=True)
        step = 0
        while True:
            step += 1
            tracker.metrics([("a", float(step), step)])
            print(step, flush=True)
            time.sleep(0.1)

cli.app = train
cli.main()
"""


@pytest.mark.parametrize("outage", [signal.SIGSTOP, signal.SIGKILL])
def test_ctrl_c_closes_a_run_in_seconds_and_the_next_command_delivers_it(
    server: Server, project: Project, outage: signal.Signals
) -> None:
    command = [sys.executable, "-c", TRAINS, str(project.root)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    while int(process.stdout.readline()) < 30:
        pass
    server.signal(outage)
    time.sleep(3)  # long enough for a batch to be on its way
    with at_most(metrics.FLUSH_SECONDS + 5):
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == 130
    assert errors.count("WARNING") == 1, errors
    last = int(output.splitlines()[-1])
    ended = time.time() * 1000
    server.signal(signal.SIGCONT) if outage == signal.SIGSTOP else server.start()
    store.connect(project)
    store.connect(project)
    assert get(run_id).info.status == "KILLED"
    assert abs(get(run_id).info.end_time - ended) < 20_000
    assert steps(run_id) == list(range(1, last + 1))
    assert not list(project.spool.glob("*.jsonl"))


def test_a_training_goes_through_an_outage(
    server: Server, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 2)
    with track("n", experiment=store.connect(project), tags={}, command=COMMAND) as tracker:
        for epoch in range(1, 9):
            if epoch == 3:
                server.signal(signal.SIGSTOP)
            with at_most(4):
                tracker.metrics([("a", 1.0, epoch)])
                tracker.flush()  # what a checkpoint relies on: the epoch is in the store or on the disk
            if 3 <= epoch <= 6:
                assert f", {epoch}]" in tracker._spool.path.read_text()
            if epoch == 6:
                server.signal(signal.SIGCONT)
        time.sleep(1)
    assert get(tracker.run_id).info.status == "FINISHED"
    assert steps(tracker.run_id) == list(range(1, 9))
    assert capsys.readouterr().err.count("WARNING") == 1
