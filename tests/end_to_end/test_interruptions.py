"""Trainings that are stopped half-way, by every means, and resume."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from mlflow import MlflowClient

from experiments.system.files import read_json
from tests.end_to_end.conftest import Clone

BACKENDS = ("lightning", "keras")


def _stage(backend: str) -> str:
    return f"train@lenet-{backend}-1"


def _forced(backend: str) -> tuple[str, ...]:
    """Return the command; without --force, DVC would bring the outputs of the undisturbed training back."""
    return ("dvc", "repro", "--force", "--single-item", _stage(backend))


@pytest.fixture(scope="module")
def undisturbed(clone: Clone) -> dict[str, str]:
    """The digest of the final weights of each backend, without an interruption."""

    def longer(content: dict[str, Any]) -> None:
        content["recipes"]["lenet"]["epochs"] = 6

    clone.change_params(longer)
    clone.run("dvc", "repro", *map(_stage, BACKENDS))
    return {backend: _final(clone, backend) for backend in BACKENDS}


def _record(clone: Clone, backend: str) -> dict[str, Any]:
    return read_json(clone.root / "runs" / "lenet" / backend / "1" / "run.json")


def _final(clone: Clone, backend: str) -> str:
    digest: str = _record(clone, backend)["final_weights"]
    return digest


def _trainer(dvc: subprocess.Popen[str]) -> psutil.Process | None:
    try:
        children = psutil.Process(dvc.pid).children(recursive=True)
        return next((c for c in children if "train" in c.cmdline() and "experiments" in c.cmdline()), None)
    except psutil.NoSuchProcess:
        return None


def _start_and_wait_for_epoch(clone: Clone, backend: str) -> tuple[subprocess.Popen[str], psutil.Process]:
    """Start a forced training, and return it once its second epoch is in the checkpoint."""
    dvc = clone.start(*_forced(backend))
    checkpoints = clone.root / ".tandem" / "checkpoints" / "lenet" / backend / "1"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(len(read_json(state)["history"]) >= 2 for state in checkpoints.glob("*/state.json")):
            trainer = _trainer(dvc)
            assert trainer is not None
            return dvc, trainer
        time.sleep(0.02)
    raise AssertionError(dvc.communicate()[0])


def _terminate_trainer(dvc: subprocess.Popen[str], trainer: psutil.Process) -> None:
    trainer.terminate()


def _kill_trainer(dvc: subprocess.Popen[str], trainer: psutil.Process) -> None:
    trainer.kill()


def _kill_dvc(dvc: subprocess.Popen[str], trainer: psutil.Process) -> None:
    dvc.kill()


def _kill_both(dvc: subprocess.Popen[str], trainer: psutil.Process) -> None:
    trainer.suspend()  # so that it can't notice the end of DVC and close its run
    dvc.kill()
    trainer.kill()


def _control_c(dvc: subprocess.Popen[str], trainer: psutil.Process) -> None:
    os.killpg(dvc.pid, signal.SIGINT)


Stop = Callable[[subprocess.Popen[str], psutil.Process], None]


# How a run ends: where it is RUNNING, the next start closes it.
STOPS: list[tuple[Stop, str]] = [
    (_terminate_trainer, "KILLED"),
    (_kill_trainer, "RUNNING"),
    (_kill_dvc, "KILLED"),
    (_kill_both, "RUNNING"),
    (_control_c, "KILLED"),
]
# Both frameworks have one way to notice a signal, and one checkpoint each: in Keras, two ways stand for all.
IN_KERAS = (_terminate_trainer, _kill_both)


def _marks(backend: str, stop: Stop) -> list[pytest.MarkDecorator]:
    return [pytest.mark.faults] if backend == "keras" and stop not in IN_KERAS else []


@pytest.mark.parametrize(
    ("stop", "status", "backend"),
    [pytest.param(*one, backend, marks=_marks(backend, one[0])) for one in STOPS for backend in BACKENDS],
)
def test_a_stopped_training_goes_on_and_ends_with_the_same_weights(
    clone: Clone, undisturbed: dict[str, str], backend: str, stop: Stop, status: str
) -> None:
    before = {run.info.run_id for run in clone.mlflow_runs()}
    dvc, trainer = _start_and_wait_for_epoch(clone, backend)
    stop(dvc, trainer)
    dvc.communicate()
    psutil.wait_procs([trainer], timeout=30)
    assert dvc.returncode != 0
    (run,) = [run for run in clone.mlflow_runs() if run.info.run_id not in before]
    assert run.info.status == status

    output = clone.run(*_forced(backend))
    assert "epoch 6/6" in output
    assert "epoch 1/6" not in output  # it went on; it did not start over
    assert _final(clone, backend) == undisturbed[backend]
    (after,) = [run for run in clone.mlflow_runs() if run.info.run_id not in before]
    assert (after.info.run_id, after.info.status) == (run.info.run_id, "FINISHED")
    _check_no_step_twice(after.info.run_id)
    seconds = _record(clone, backend)["resources"]["seconds"]
    assert {name: after.data.metrics[f"time/{name}"] for name in seconds} == seconds
    points = MlflowClient().get_metric_history(after.info.run_id, "time/imports")
    assert [point.step for point in points] == [2]  # the number of its processes, logged once
    assert not [run for run in clone.mlflow_runs() if run.info.status == "RUNNING"]


def _check_no_step_twice(run_id: str) -> None:
    for name in ("train/step_loss", "train/loss", "test/accuracy"):
        steps = [point.step for point in MlflowClient().get_metric_history(run_id, name)]
        assert len(steps) == len(set(steps))
        if name != "train/step_loss":
            assert sorted(steps) == [1, 2, 3, 4, 5, 6]
