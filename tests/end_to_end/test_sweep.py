"""A sweep as a user runs it, killed by every means, on the stand-in."""

import contextlib
import json
import os
import signal
import time
from collections import Counter
from typing import Any

import mlflow
import psutil
import pytest
from mlflow import MlflowClient

from tests.end_to_end.conftest import Clone

TRIALS = 8


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    clone.change_params(lambda content: content["sweep"].update(epochs=2, retries=5))
    clone.run("dvc", "repro", "preprocess")
    return clone


def command(backend: str, *more: str) -> tuple[str, ...]:
    return ("tandem", "sweep", "run", "--recipe", "lenet", "--backend", backend, "--workers", "2", *more)


def status(clone: Clone, backend: str) -> dict[str, Any]:
    (found,) = json.loads(clone.run("tandem", "sweep", "status", f"lenet-{backend}", "--json"))
    return dict(found)


def workers(launcher: int) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(launcher).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie, which is one for psutil
            if "worker" in child.cmdline():
                found.append(child)
    return found


def running_trials(clone: Clone, backend: str) -> int:
    """Return how many trials have begun an MLflow run that is open."""
    runs = [run for run in clone.mlflow_runs() if run.data.tags.get("sweep") == f"lenet-{backend}"]
    return sum(run.info.status == "RUNNING" and "trial" in run.data.tags for run in runs)


def start_and_wait_for_trials(clone: Clone, backend: str) -> Any:
    started = clone.start(*command(backend, "--trials", str(TRIALS)))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        there = (clone.root / "mlruns" / "mlflow.db").is_file() and len(workers(started.pid)) == 2
        if there and running_trials(clone, backend):
            return started
        time.sleep(0.2)
    started.kill()
    raise AssertionError(started.communicate()[0])


@pytest.mark.parametrize("backend", ["lightning", "keras"])
def test_a_sweep_that_is_killed_again_and_again_ends_with_every_trial_once(prepared: Clone, backend: str) -> None:
    # A worker: another takes its place, and its trial.
    launcher = start_and_wait_for_trials(prepared, backend)
    workers(launcher.pid)[0].kill()
    time.sleep(3)
    # The launcher: its workers stop by themselves.
    left = workers(launcher.pid)
    launcher.kill()
    launcher.communicate()
    psutil.wait_procs(left, timeout=30)
    # Both at once.
    launcher = start_and_wait_for_trials(prepared, backend)
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.communicate()
    output = prepared.run(*command(backend, "--trials", str(TRIALS)))
    assert f"{TRIALS}/{TRIALS} trials" in output

    found = status(prepared, backend)
    assert (found["finished"], found["failed"], found["running"], found["waiting"]) == (TRIALS, 0, 0, 0)
    runs = [run for run in prepared.mlflow_runs() if run.data.tags.get("sweep") == f"lenet-{backend}"]
    parents = [run for run in runs if "trial" not in run.data.tags]
    assert len(parents) == 1
    children = [run for run in runs if "trial" in run.data.tags]
    assert sorted(int(run.data.tags["trial"]) for run in children) == list(range(TRIALS))
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parents[0].info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in children:
        assert "test/accuracy" not in run.data.metrics
        for name in ("val/loss", "train/step_loss"):
            history = MlflowClient().get_metric_history(run.info.run_id, name)
            assert max(Counter(point.step for point in history).values()) == 1


def test_a_finished_sweep_does_nothing_and_more_trials_are_added(prepared: Clone) -> None:
    before = len(prepared.mlflow_runs())
    prepared.run(*command("lightning", "--trials", str(TRIALS)))
    assert len(prepared.mlflow_runs()) == before
    prepared.run(*command("lightning", "--trials", str(TRIALS + 1)))
    assert len(prepared.mlflow_runs()) == before + 1
    assert status(prepared, "lightning")["finished"] == TRIALS + 1


def test_ctrl_c_puts_the_trials_back(prepared: Clone) -> None:
    launcher = prepared.start(*command("lightning", "--trials", "3", "--name", "stopped"))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (prepared.root / "mlruns").mkdir(exist_ok=True)
        runs = [run for run in prepared.mlflow_runs() if run.data.tags.get("sweep") == "stopped"]
        if any("trial" in run.data.tags for run in runs):
            break
        time.sleep(0.2)
    os.killpg(launcher.pid, signal.SIGINT)
    output, _ = launcher.communicate()
    assert launcher.returncode == 130, output
    assert "Traceback" not in output
    (found,) = json.loads(prepared.run("tandem", "sweep", "status", "stopped", "--json"))
    assert found["running"] == 0
    assert found["finished"] + found["waiting"] == 3
    mlflow.set_tracking_uri(f"sqlite:///{prepared.root}/mlruns/mlflow.db")
    assert not [run for run in prepared.mlflow_runs() if run.info.status == "RUNNING"]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--trials", "0"), "tandem: --trials: expected 1 or more; got 0"),
        (("--workers", "0"), "tandem: --workers: expected 1 or more; got 0"),
        (("--recipe", "nothing"), "tandem: params.yaml: --recipe: expected one of the recipes"),
        (("--backend", "jax"), "tandem: --backend: expected one of lightning, keras; got 'jax'"),
    ],
)
def test_a_user_s_mistake_is_one_line(prepared: Clone, more: tuple[str, ...], line: str) -> None:
    *_, said = prepared.run(*command("lightning", *more), code=2).splitlines()
    assert said.startswith(line)


def test_a_study_begun_with_other_settings_is_one_line(prepared: Clone) -> None:
    prepared.change_params(lambda content: content["sweep"]["space"]["lr"].update(high=0.2))
    *_, said = prepared.run(*command("lightning"), code=2).splitlines()
    assert said.startswith(
        "tandem: --name: expected a new name, since study 'lenet-lightning' was begun with space.lr ="
    )
    assert status(prepared, "lightning")["finished"] == TRIALS + 1
