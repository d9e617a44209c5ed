import io

import optuna
import pytest
from rich.console import Console

from experiments.settings.project import Project
from experiments.sweep.drawing import next_trial
from experiments.sweep.status import status_of, to_table
from experiments.sweep.storage import connect
from experiments.sweep.study import open_study
from experiments.sweep.trials import BUDGET
from experiments.system.processes import ProcessId
from tests.sweep.conftest import MakePlan


def test_the_time_left_is_that_of_all_trials_of_the_budget(project: Project, make: MakePlan) -> None:
    plan = make()
    study = open_study(connect(project), plan)
    study.set_user_attr(BUDGET, 10)
    for _ in range(2):
        study.tell(next_trial(study, plan.ranges), state=optuna.trial.TrialState.PRUNED)
    for _ in range(2):
        next_trial(study, plan.ranges)
    status = status_of(study, plan, ProcessId.own())
    assert (status.finished, status.running, status.left) == (2, 2, 8)
    assert status.seconds_per_trial is not None
    assert status.seconds_left == pytest.approx(status.seconds_per_trial * 8 / 2)


def test_a_study_s_name_is_whole_in_a_narrow_terminal(project: Project, make: MakePlan) -> None:
    plan = make(name="cnn3-sgd-both-confirm")
    study = open_study(connect(project), plan)
    study.set_user_attr(BUDGET, 10)
    study.tell(next_trial(study, plan.ranges), 0.5)
    next_trial(study, plan.ranges)
    shown = io.StringIO()
    Console(file=shown, width=80).print(to_table([status_of(study, plan)]))
    assert "cnn3-sgd-both-confirm" in shown.getvalue()
    assert "running" in shown.getvalue()
    assert "diverged" not in shown.getvalue()
    assert "…" not in shown.getvalue()
