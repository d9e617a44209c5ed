"""The exact budget, on a real SQLite database."""

import subprocess
import sys
import time
from collections import Counter

import optuna
import pytest
from optuna.trial import TrialState

from experiments.errors import TandemError
from experiments.project import Project
from experiments.sweep import queue
from experiments.sweep.storage import connect
from tests.conftest import ROOT


@pytest.fixture
def study(project: Project) -> optuna.Study:
    return optuna.create_study(storage=connect(project), study_name="s")


def states(study: optuna.Study) -> dict[str, int]:
    return dict(Counter(trial.state.name for trial in study.get_trials(deepcopy=False)))


def test_a_budget_is_filled_once(study: optuna.Study) -> None:
    assert queue.fill(study, 3) == 3
    assert queue.fill(study, 3) == 0
    assert queue.fill(study, 5) == 2
    assert queue.fill(study, 1) == 0
    assert states(study) == {"WAITING": 5}


def test_a_trial_is_taken_once_and_keeps_its_parameters_when_it_is_put_back(study: optuna.Study) -> None:
    queue.fill(study, 1)
    (trial,) = queue.claim(study, 4)
    x = trial.suggest_float("x", 0, 1)
    assert queue.claim(study) == []
    queue.put_back(study, study.trials[0])
    (again,) = queue.claim(study)
    assert again.number == trial.number
    assert again.suggest_float("x", 0, 1) == x


def test_several_are_taken_at_once(study: optuna.Study) -> None:
    queue.fill(study, 5)
    assert [trial.number for trial in queue.claim(study, 3)] == [0, 1, 2]
    assert [trial.number for trial in queue.claim(study, 3)] == [3, 4]


def test_pruned_trials_count_and_failed_ones_are_replaced(study: optuna.Study) -> None:
    queue.fill(study, 3)
    for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL):
        (trial,) = queue.claim(study)
        study.tell(trial, 1.0 if state == TrialState.COMPLETE else None, state=state)
    assert queue.finished(study) == 2
    assert queue.fill(study, 3) == 1


DIES = """
import sys, optuna
from pathlib import Path
from experiments.project import Project
from experiments.sweep.queue import claim
from experiments.sweep.storage import connect
(trial,) = claim(optuna.load_study(study_name="s", storage=connect(Project(Path(sys.argv[1]), Path(sys.argv[1])))))
trial.suggest_float("x", 0, 1)
print("taken", flush=True)
import time; time.sleep(60)
"""


def die(project: Project) -> None:
    """Take a trial in a process of its own, and kill that."""
    command = [sys.executable, "-c", DIES, str(project.root)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    process.kill()
    process.wait()


def test_a_trial_whose_worker_died_waits_again_until_it_has_died_too_often(
    study: optuna.Study, project: Project
) -> None:
    queue.fill(study, 1)
    for deaths in (1, 2):
        die(project)
        assert queue.recover(study, retries=2) == ([0], [])
        assert study.trials[0].user_attrs["deaths"] == deaths
    x = study.trials[0].params["x"]
    die(project)
    assert queue.recover(study, retries=2) == ([], [0])
    (trial,) = study.trials
    assert (trial.state, trial.params["x"]) == (TrialState.FAIL, x)
    assert trial.user_attrs["failed_because"] == "its worker died 3 times"


def test_a_trial_whose_worker_lives_is_left_alone(study: optuna.Study) -> None:
    queue.fill(study, 1)
    queue.claim(study)
    assert queue.recover(study, retries=2) == ([], [])
    assert states(study) == {"RUNNING": 1}


def test_eight_processes_on_sqlite_lose_nothing_and_do_nothing_twice(study: optuna.Study, project: Project) -> None:
    queue.fill(study, 400)
    command = [sys.executable, "-m", "tests.sweep.hammer", str(project.root), "s"]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    for process in started:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert "locked" not in errors
    trials = study.get_trials(deepcopy=False)
    assert len(trials) == 400
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert [trial.value for trial in trials] == pytest.approx([trial.params["x"] ** 2 for trial in trials])
    owners = Counter(trial.user_attrs["owner"]["pid"] for trial in trials)
    assert sum(owners.values()) == 400
    assert len(owners) > 1, "one process did everything: nothing was tried"


def test_a_storage_that_can_t_be_reached_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_SWEEP_STORAGE", f"sqlite:///{project.root}/no/such/folder/optuna.db")
    with pytest.raises(TandemError, match=r"^TANDEM_SWEEP_STORAGE: expected a database that can be reached; got"):
        connect(project)


def test_a_number_that_another_process_was_given_is_not_taken_for_the_owner() -> None:
    mark = queue.owner()
    assert queue.is_alive(mark)
    assert not queue.is_alive({**mark, "started": mark["started"] - time.time()})
    assert not queue.is_alive(None)
