"""What the tests of sweeps share: the commands, and the records compared at the end."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import optuna
import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from optuna.trial import TrialState

from experiments.settings.params import load_params
from experiments.settings.project import Project
from experiments.sweep import run as sweep_run
from experiments.sweep.reconcile import reconcile
from experiments.sweep.run import SweepRequest, Where, run_sweep
from experiments.sweep.storage import connect
from tests.end_to_end.conftest import Clone
from tests.sweep.simulated import ScriptedEngine, simulated

WAIT_SECONDS = 120


def command(backend: str, *more: str) -> tuple[str, ...]:
    return ("tandem", "sweep", "run", "--recipe", "lenet", "--backend", backend, *more)


def status(clone: Clone, name: str) -> dict[str, Any]:
    (known,) = clone.json("tandem", "sweep", "status", name)
    return dict(known)


def live(clone: Clone, name: str) -> list[dict[str, Any]]:
    """Return what is being trained, as the controller has it."""
    try:
        state = json.loads((clone.root / ".tandem" / "sweeps" / name / "live.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    return list(state["training"])


def start(clone: Clone, name: str, *words: str, training: int = 1) -> Any:
    """Start a sweep, and return when so many trainings have reached an epoch."""
    process = clone.start(*words, "--name", name)
    wait_for(lambda: trains(clone, name, training), process)
    return process


def trains(clone: Clone, name: str, training: int = 1) -> bool:
    """Return whether so many trainings have reached an epoch."""
    return sum(row["epoch"] > 0 for row in live(clone, name)) >= training


def wait_for(condition: Callable[[], bool], controller: Any) -> None:
    """Return when a condition is true; fail with what the controller has said if it ends before."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and controller.poll() is None:
        if condition():
            return
        time.sleep(0.1)
    controller.kill()
    raise AssertionError(controller.communicate()[0])


def inside(*words: str) -> str:
    """Return a line that has a job begin again inside of another program."""
    return f'[ -n "$INSIDE" ] || INSIDE=1 exec {" ".join(words)}'


def workers(controller: int) -> list[psutil.Process]:
    """Return the workers that a controller has started on this machine."""
    return [child for child in psutil.Process(controller).children() if "experiments.engine.worker" in child.cmdline()]


def runs_of(clone: Clone, name: str) -> list[Run]:
    return [run for run in clone.mlflow_runs() if run.data.tags.get("sweep") == name]


def trial_runs(clone: Clone, name: str) -> dict[tuple[int, str], Run]:
    runs = [run for run in runs_of(clone, name) if "trial" in run.data.tags]
    by_trial = {(int(run.data.tags["trial"]), run.data.tags["backend"]): run for run in runs}
    assert len(by_trial) == len(runs)
    return by_trial


def check_every_trial_is_there_once(clone: Clone, name: str, trials: int, *backends: str) -> dict[tuple[int, str], Run]:
    """Compare the records; return the run of each trial and backend."""
    project = Project(clone.root, clone.root)
    known = optuna.load_study(study_name=name, storage=connect(project)).get_trials(deepcopy=False)
    assert len(known) == trials
    assert {trial.state for trial in known} <= {TrialState.COMPLETE, TrialState.PRUNED}
    by_trial = trial_runs(clone, name)
    assert sorted(by_trial) == [(number, backend) for number in range(trials) for backend in sorted(backends)]
    (parent,) = [run for run in runs_of(clone, name) if "trial" not in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in by_trial.values()} == {parent.info.run_id}
    assert {run.info.status for run in [parent, *by_trial.values()]} == {"FINISHED"}
    for run in by_trial.values():
        assert "test/accuracy" not in run.data.metrics
        # What MLflow's parallel coordinates draw.
        assert {"lr", "optimiser"} <= run.data.params.keys()
        assert "objective" in run.data.metrics
        for metric in ("val/loss", "train/step_loss", "objective"):
            steps = Counter(point.step for point in MlflowClient().get_metric_history(run.info.run_id, metric))
            assert max(steps.values()) == 1
            if metric == "val/loss":
                assert sorted(steps) == list(range(1, len(steps) + 1))
    assert reconcile(project, name, apply=False) == []
    assert not list((clone.root / ".tandem" / "sweeps" / name).glob("trials/*"))
    return by_trial


def values(runs: dict[tuple[int, str], Run], metric: str = "val/loss") -> dict[tuple[int, str], list[float]]:
    """Return a metric after each epoch, to the last digit."""
    history = MlflowClient().get_metric_history
    return {
        member: [point.value for point in sorted(history(run.info.run_id, metric), key=lambda point: point.step)]
        for member, run in runs.items()
    }


def sweep_simulated(clone: Clone) -> None:
    """Write the runs of a sweep `s` of two trials in both frameworks, whose workers train nothing."""
    params, project = load_params(clone.root / "params.yaml"), Project(clone.root, clone.root)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(sweep_run, "make_engine", lambda *args, **settings: ScriptedEngine(2))
        asked = SweepRequest("cnn3-sgd", "both", 2, "s")
        run_sweep(project, params, asked, Where("inline", 2, task=simulated))
