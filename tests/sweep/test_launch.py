"""What the launcher makes of workers that can't work; that it gets trials finished is in tests/end_to_end."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import launch, queue
from experiments.sweep.launch import Launcher
from experiments.sweep.plan import Plan
from experiments.system.errors import TandemError
from tests.sweep.conftest import MakePlan

OpenPlan = Callable[[Plan], optuna.Study]


@pytest.fixture
def launcher(
    project: Project, params: Params, make: MakePlan, open_plan: OpenPlan, monkeypatch: pytest.MonkeyPatch
) -> Launcher:
    """A launcher of two workers that don't live long: there is no dataset, and their program is a shell."""
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(launch, "LOSSES_PER_WORKER", 2)
    study = open_plan(make())
    return Launcher(project, params, make(), study, budget=3, workers=2)


def program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a shell script in the place of Python."""
    path = folder / "worker"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


def test_workers_that_die_again_and_again_end_the_sweep(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "exit 7", monkeypatch)
    with pytest.raises(TandemError, match="expected workers that finish trials; got 5 that ended without one"):
        launcher.run()
    assert len(launcher.study.trials) == 3


def test_a_worker_that_refuses_ends_the_sweep_at_once(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "exit 2", monkeypatch)
    with pytest.raises(TandemError, match="sweep s: a worker can't continue; fix what it reports, and repeat"):
        launcher.run()
    assert launcher.study.user_attrs[launch.STARTED] <= 2


def test_a_trial_that_fails_in_the_last_moment_is_replaced(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    study = launcher.study
    queue.fill(study, 3)
    for _ in range(2):
        (trial,) = queue.claim(study)
        study.tell(trial, 1.0)
    (last,) = queue.claim(study)
    asked = launcher._open

    def fails_now() -> list[optuna.trial.FrozenTrial]:
        if last.study.trials[2].state == TrialState.RUNNING:
            study.tell(last, state=TrialState.FAIL)
        return asked()

    monkeypatch.setattr(launcher, "_open", fails_now)
    monkeypatch.setattr(launcher, "_start", lambda place: None)
    assert not launcher._turn()
    assert [trial.state for trial in study.trials][2:] == [TrialState.FAIL, TrialState.WAITING]


def test_threads_and_gpus_are_shared(
    launcher: Launcher, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "$CUDA_VISIBLE_DEVICES $OMP_NUM_THREADS $TANDEM_FOLLOW_PARENT $@"
    program(tmp_path, f'echo "{words}" >> {tmp_path}/said; sleep 1; exit 2', monkeypatch)
    monkeypatch.setattr(launch, "visible_gpus", lambda: ["GPU-a", "GPU-b"])
    monkeypatch.setattr(launch, "threads_for", lambda setting: 9)
    again = Launcher(launcher.project, params, launcher.plan, launcher.study, budget=3, workers=2)
    assert (again.gpus, again.threads) == (["GPU-a", "GPU-b"], 4)
    with pytest.raises(TandemError):
        again.run()
    said = sorted((tmp_path / "said").read_text().splitlines())
    worker = f"{os.getpid()} -m experiments sweep worker s lightning --threads 4 --number"
    assert said == [f"GPU-a 4 {worker} 0", f"GPU-b 4 {worker} 1"]


def test_more_workers_than_gpus_have_room_for_are_refused(
    launcher: Launcher, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "visible_gpus", lambda: ["0"])
    with pytest.raises(TandemError, match="--workers: expected at most 1, since there are 1 GPU"):
        Launcher(launcher.project, params, launcher.plan, launcher.study, budget=3, workers=2)
