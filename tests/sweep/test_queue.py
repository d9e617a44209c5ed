"""The exact budget, on a real SQLite database."""

import subprocess
import sys
import time
from collections import Counter

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import text

from experiments.settings.project import Project
from experiments.sweep import queue
from experiments.sweep.queue import SILENCE_SECONDS, pulse
from experiments.sweep.storage import connect
from experiments.system.errors import Stopped, TandemError
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
    queue.put_back(study, trial._trial_id)
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
from experiments.settings.project import Project
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
        assert len(study.trials[0].user_attrs["deaths"]) == deaths
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
    hammer(study, project)


def hammer(study: optuna.Study, project: Project) -> None:
    """Have eight processes take and finish 400 trials; none may be lost, taken twice, or meet a locked database."""
    queue.fill(study, 400)
    command = [sys.executable, "-m", "tests.sweep.hammer", str(project.root), study.study_name]
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


def test_a_launcher_that_dies_while_it_recovers_counts_no_death_twice(study: optuna.Study, project: Project) -> None:
    queue.fill(study, 1)
    die(project)
    trial = study.trials[0]
    study._storage.set_trial_user_attr(trial._trial_id, queue.DEATHS, [trial.user_attrs[queue.OWNER]])
    assert queue.recover(study, retries=1) == ([0], [])
    assert len(study.trials[0].user_attrs[queue.DEATHS]) == 1


def test_a_trial_that_was_taken_by_a_process_that_died_in_that_moment_waits_again(
    study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.fill(study, 1)
    (trial,) = study.trials
    study._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
    assert list(queue.orphans(study)) == []
    monkeypatch.setattr(queue, "GRACE_SECONDS", 0)
    assert queue.recover(study, retries=1) == ([0], [])


def take_elsewhere(study: optuna.Study) -> optuna.Trial:
    queue.fill(study, 1)
    (trial,) = queue.claim(study)
    trial.set_user_attr(queue.OWNER, {**trial.user_attrs[queue.OWNER], "boot_id": "another"})
    return trial


def test_a_worker_of_another_machine_is_alive_as_long_as_it_has_a_pulse(study: optuna.Study) -> None:
    trial = take_elsewhere(study)
    assert list(queue.orphans(study)) == []
    silent_for(study, trial, SILENCE_SECONDS - 20)
    assert list(queue.orphans(study)) == []
    silent_for(study, trial, SILENCE_SECONDS + 5)
    assert [one.number for one in queue.orphans(study)] == [0]
    with pulse(study, trial, every=0.05):
        time.sleep(1)
        assert list(queue.orphans(study)) == []


def silent_for(study: optuna.Study, trial: optuna.Trial, seconds: int) -> None:
    """Put the last pulse of a trial into the past, as the database has it."""
    storage = study._storage
    engine = storage._backend.engine  # type: ignore[attr-defined]
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE trial_heartbeats SET heartbeat = datetime('now', :ago) WHERE trial_id = :trial"),
            {"ago": f"-{seconds} seconds", "trial": trial._trial_id},
        )


def test_a_trial_on_its_way_back_is_no_orphan(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one whose owner is gone: between being taken again and being signed, it names the one before."""
    trial = take_elsewhere(study)
    trial.set_user_attr(queue.OWNER, {**trial.user_attrs[queue.OWNER], "started": 0})
    queue.put_back(study, trial._trial_id)
    monkeypatch.setattr(queue, "_sign", lambda study, trial_id: None)
    queue.claim(study)
    assert list(queue.orphans(study)) == []


def test_a_stop_while_a_trial_is_taken_puts_it_back(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.fill(study, 1)

    def stop(study: optuna.Study, trial_id: int) -> None:
        raise Stopped(15)

    monkeypatch.setattr(queue, "_sign", stop)
    with pytest.raises(Stopped):
        queue.claim(study)
    assert states(study) == {"WAITING": 1}


def test_a_stop_is_nobody_s_fault(study: optuna.Study, project: Project) -> None:
    queue.fill(study, 1)
    die(project)
    assert queue.recover(study, retries=0, blame=False) == ([0], [])
    assert study.trials[0].state == TrialState.WAITING


def test_who_lost_its_trial_knows(study: optuna.Study) -> None:
    trial = take_elsewhere(study)
    assert not queue.is_mine(study, trial._trial_id)
    queue.put_back(study, trial._trial_id)
    assert not queue.is_mine(study, trial._trial_id)
    (again,) = queue.claim(study)
    assert queue.is_mine(study, again._trial_id)


def test_a_budget_that_was_lowered_leaves_room_for_no_more(study: optuna.Study) -> None:
    queue.fill(study, 4)
    queue.claim(study, 2)
    assert queue.room(study) == 2
    queue.fill(study, 1)
    assert queue.room(study) == -1
    assert len(study.trials) == 4


@pytest.mark.usefixtures("postgres")
def test_postgresql(project: Project) -> None:
    made = optuna.create_study(storage=connect(project), study_name="s")
    test_a_trial_is_taken_once_and_keeps_its_parameters_when_it_is_put_back(made)
    again = optuna.create_study(storage=connect(project), study_name="t")
    test_pruned_trials_count_and_failed_ones_are_replaced(again)
    hammered = optuna.create_study(storage=connect(project), study_name="hammered")
    hammer(hammered, project)


def test_a_password_is_not_printed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_SWEEP_STORAGE", "postgresql://me:secret@127.0.0.1:9/none")
    with pytest.raises(TandemError, match=r"got 'postgresql\+psycopg://me:\*\*\*@127.0.0.1:9/none'") as caught:
        connect(project)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
