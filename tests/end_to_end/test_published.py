"""`tandem published` with its workers and itself killed in the middle, on the stand-in; and on a cluster."""

import os
import signal
import subprocess
import time
from typing import Any

import mlflow
import numpy as np
import psutil
import pytest
from mlflow import MlflowClient

from experiments.system.files import read_json
from tests.cluster import Cluster
from tests.end_to_end.conftest import JOB, Clone
from tests.end_to_end.sweeps import workers

EPOCHS = 8
COMMAND = ("tandem", "published", "lenet", "--seeds", "2")


@pytest.fixture(scope="module")
def prepared(clone: Clone) -> Clone:
    def change(content: dict[str, Any]) -> None:
        content["recipes"]["lenet"]["epochs"] = EPOCHS
        content["train"]["threads"] = 1
        content["engines"]["slurm"].update(JOB)

    clone.change_params(change)
    clone.run("dvc", "repro", "preprocess")
    return clone


@pytest.fixture(scope="module")
def undisturbed(prepared: Clone) -> dict[str, str]:
    """The digest of the final weights that `tandem train` leaves, by backend, for seed 1."""
    for backend in ("lightning", "keras"):
        prepared.run("tandem", "train", "lenet", backend, "1")
    return {backend: weights(prepared, "runs", backend) for backend in ("lightning", "keras")}


def weights(clone: Clone, runs: str, backend: str) -> str:
    digest: str = read_json(clone.root / runs / "lenet" / backend / "1" / "run.json")["final_weights"]
    return digest


def reach(clone: Clone, label: str, attempt: int, epochs: int, process: "subprocess.Popen[str]") -> None:
    """Return once an attempt at a training has so many epochs."""
    folder = clone.root / ".tandem" / "trainings" / label / f"attempt-{attempt}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any(len(read_json(state)["history"]) >= epochs for state in folder.glob("*/state.json")):
            return
        time.sleep(0.02)
    process.kill()
    raise AssertionError(process.communicate()[0])


def check_runs(clone: Clone) -> None:
    """Each training has one run, which has everything once, and a model that can be loaded."""
    for run in clone.mlflow_runs():
        if "training" not in run.data.tags:  # by `tandem train`
            continue
        client, name = MlflowClient(), f"lenet/{run.data.tags['backend']}/{run.data.tags['seed']}"
        assert run.info.status == "FINISHED"
        outputs = read_json(clone.root / "reports" / "published" / name / "run.json")
        assert outputs["mlflow_run_id"] == run.info.run_id
        for metric in ("train/loss", "test/loss", "train/step_loss"):
            steps = [point.step for point in client.get_metric_history(run.info.run_id, metric)]
            assert len(steps) == len(set(steps))
            if metric != "train/step_loss":
                assert sorted(steps) == list(range(1, EPOCHS + 1))
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert {"layers.md", "params.yaml", "learning_curves.png", "confusion_matrix.png"} <= files
        assert len(run.inputs.dataset_inputs) == len(run.outputs.model_outputs) == 1


def test_killed_workers_and_controllers_change_nothing(prepared: Clone, undisturbed: dict[str, str]) -> None:
    said = ""
    for label in ("lenet-lightning-1", "lenet-keras-1"):
        process = prepared.start(*COMMAND)
        reach(prepared, label, 1, 2, process)
        workers(process.pid)[0].kill()
        reach(prepared, label, 2, 4, process)
        left = workers(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        said += process.communicate()[0]
        assert not psutil.wait_procs(left, timeout=10)[1]
    said += prepared.run(*COMMAND, "--workers", "2")
    for backend in ("lightning", "keras"):
        assert weights(prepared, "reports/published", backend) == undisturbed[backend]
        assert said.count(f"lenet-{backend}-1: epoch 1/{EPOCHS}") == 1  # it went on, it did not start over
    runs = [run for run in prepared.mlflow_runs() if "training" in run.data.tags]
    assert sorted(run.info.run_name for run in runs) == [
        *("lenet-keras-1", "lenet-keras-2", "lenet-lightning-1", "lenet-lightning-2")
    ]
    check_runs(prepared)
    assert not list((prepared.root / ".tandem" / "trainings").glob("lenet-*"))


def test_run_and_model_are_those_of_a_training(prepared: Clone, undisturbed: dict[str, str]) -> None:
    alike = [run for run in prepared.mlflow_runs() if run.info.run_name == "lenet-lightning-1"]
    new, old = sorted(alike, key=lambda run: "training" not in run.data.tags)
    assert new.data.params == old.data.params
    assert old.data.tags.keys() == new.data.tags.keys() - {"training", "worker", "node", "gpus"}
    assert old.data.metrics.keys() == new.data.metrics.keys()
    assert {"time/imports", "time/compiling", "peak_memory_mb", "median_epoch_seconds"} <= new.data.metrics.keys()
    images = np.zeros((2, 1, 28, 28), np.uint8)
    models = [f"runs:/{run.info.run_id}/lenet-lightning-1" for run in (new, old)]
    logits = [mlflow.pyfunc.load_model(model).predict(images) for model in models]
    assert np.array_equal(*logits)


def test_on_a_cluster_sqlite_serves_too(prepared: Clone, undisturbed: dict[str, str], slurm: Cluster) -> None:
    prepared.extra |= slurm.environment
    for folder in (prepared.root / "reports" / "published" / "lenet").glob("*/1"):
        (folder / "metrics.json").unlink()
    try:
        output = prepared.run(*COMMAND, "--on", "slurm", "--workers", "2")
    finally:
        for name in slurm.environment:
            del prepared.extra[name]
    assert "2 of 4 trainings are done already" in output
    for backend in ("lightning", "keras"):
        assert weights(prepared, "reports/published", backend) == undisturbed[backend]
    nodes = {run.data.tags["node"] for run in prepared.mlflow_runs() if "training" in run.data.tags}
    assert nodes & {"n1", "n2"}
