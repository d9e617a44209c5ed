"""What disagrees between Optuna and MLflow is listed, fixed once, and then gone. Real stores, no training."""

import shutil
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from experiments.settings.project import Project
from experiments.sweep.drawing import next_trial
from experiments.sweep.lease import Lease
from experiments.sweep.plan import Plan
from experiments.sweep.reconcile import reconcile
from experiments.sweep.runs import PARENT_RUN, SWEEP, TRIAL
from experiments.sweep.storage import connect
from experiments.sweep.study import PARENT
from experiments.sweep.trials import Result, result_key, run_key
from experiments.system.errors import TandemError
from experiments.tracking import owner, runs, store
from tests.sweep.conftest import MakePlan

OpenPlan = Callable[[Plan], optuna.Study]
SETTINGS = {"lr": 0.01, "dropout": 0.4, "momentum": 0.9}


@pytest.fixture
def study(project: Project, make: MakePlan, open_plan: OpenPlan, stores: Path) -> optuna.Study:
    """A study of two trials, the first one complete, with its runs, as a sweep leaves it that was stopped then."""
    shutil.copytree(stores, project.mlruns)
    plan = make()
    made = open_plan(plan)
    experiment = store.connect(project)
    parent = runs.write_run(experiment, "sweep", tags={SWEEP: "s"}, params={}, points=[])
    made.set_user_attr(PARENT, parent)
    trial = next_trial(made, plan.ranges)
    tags = {SWEEP: "s", TRIAL: "0", "backend": "lightning", PARENT_RUN: parent}
    run = runs.write_run(experiment, "s-0", tags=tags, params=SETTINGS, points=[("objective", 0.5, 3)])
    trial.set_user_attr(run_key("lightning"), run)
    trial.set_user_attr(result_key("lightning"), Result((0.75, 0.5), 3.0, 2.0, 100.0).to_attribute())
    made.tell(trial, 0.5)
    made.enqueue_trial({**SETTINGS, "lr": 0.02})
    return made


def run_of(study: optuna.Study, number: int = 0) -> str:
    return str(study.trials[number].user_attrs[run_key("lightning")])


def fixed(project: Project, what: str) -> None:
    """See that this alone is listed, without changing anything; that it is fixed; and that nothing is left."""
    for apply in (False, True):
        (found,) = reconcile(project, "s", apply=apply)
        assert what in found.what
    assert reconcile(project, None, apply=False) == []


def test_nothing_disagrees(project: Project, study: optuna.Study) -> None:
    assert reconcile(project, None, apply=False) == []


def test_a_trial_that_nobody_trains_waits_again(project: Project, study: optuna.Study, make: MakePlan) -> None:
    next_trial(study, make().ranges)
    fixed(project, "trial(s) [1] are RUNNING, and nobody trains them")
    assert study.trials[1].state == TrialState.WAITING
    assert study.trials[1].params["lr"] == 0.02


def test_what_a_controller_is_at_work_on_is_left(project: Project, study: optuna.Study, make: MakePlan) -> None:
    next_trial(study, make().ranges)
    lease = Lease(connect(project).engine, "s")
    lease.acquire()
    assert reconcile(project, "s", apply=False) == []
    with pytest.raises(TandemError, match="sweep s: expected no other controller; got process"):
        reconcile(project, "s", apply=True)
    lease.release()
    fixed(project, "trial(s) [1] are RUNNING")


def test_the_checkpoints_of_a_trial_that_has_ended_are_deleted(project: Project, study: optuna.Study) -> None:
    for number in (0, 1):
        (project.sweep("s") / "trials" / str(number) / "lightning" / "attempt-1").mkdir(parents=True)
    fixed(project, "trial(s) [0] have ended, and their checkpoints are still there")
    assert [folder.name for folder in (project.sweep("s") / "trials").iterdir()] == ["1"]


def test_the_run_of_a_diverged_trial_is_a_failed_one(project: Project, study: optuna.Study, make: MakePlan) -> None:
    trial = next_trial(study, make().ranges)
    tags = {SWEEP: "s", TRIAL: "1", "backend": "lightning", PARENT_RUN: study.user_attrs[PARENT]}
    run = runs.write_run(store.open_experiment(project), "s-1", tags=tags, params={}, points=[])
    trial.set_user_attr(run_key("lightning"), run)
    trial.set_user_attr(result_key("lightning"), Result((), 3.0, 2.0, 100.0, "train/loss is nan").to_attribute())
    study.tell(trial, float("inf"))
    fixed(project, f"trial 1 (lightning) is COMPLETE, and its run {run} is FINISHED")
    assert MlflowClient().get_run(run).info.status == "FAILED"


def test_a_run_without_a_process_is_closed(project: Project, study: optuna.Study) -> None:
    tags = {SWEEP: "s", TRIAL: "1", "backend": "lightning", **owner.owner_tags(), owner.STARTED: "0.00"}
    left = MlflowClient().create_run(store.open_experiment(project), tags=tags).info.run_id
    fixed(project, f"run {left} is RUNNING without a process")
    assert MlflowClient().get_run(left).info.status == "KILLED"


def test_a_finished_trial_has_a_finished_run(project: Project, study: optuna.Study) -> None:
    MlflowClient().set_terminated(run_of(study), "FAILED")
    fixed(project, f"trial 0 (lightning) is COMPLETE, and its run {run_of(study)} is FAILED")
    assert MlflowClient().get_run(run_of(study)).info.status == "FINISHED"


def test_a_run_that_was_deleted_is_written_again(project: Project, study: optuna.Study) -> None:
    MlflowClient().delete_run(run_of(study))
    fixed(project, f"trial 0 (lightning) is COMPLETE, and its run {run_of(study)} is not in MLflow")
    (run,) = runs.search(store.open_experiment(project), "tags.written_afterwards = 'true'")
    assert (run.info.status, run.data.tags[TRIAL], run.data.tags[PARENT_RUN]) == (
        "FINISHED",
        "0",
        study.user_attrs[PARENT],
    )
    assert run.data.params == {name: str(value) for name, value in SETTINGS.items()}
    history = MlflowClient().get_metric_history(run.info.run_id, "val/loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.75), (2, 0.5)]
    assert run.data.metrics["objective"] == 0.5


def test_a_second_run_of_a_trial_is_deleted(project: Project, study: optuna.Study) -> None:
    tags = {SWEEP: "s", TRIAL: "0", "backend": "lightning", PARENT_RUN: study.user_attrs[PARENT]}
    twin = runs.write_run(store.open_experiment(project), "twin", tags=tags, params={}, points=[])
    fixed(project, f"run {twin} says it is trial 0, which doesn't know it")
    assert MlflowClient().get_run(twin).info.lifecycle_stage == "deleted"


def test_a_run_that_its_trial_will_find_again_is_left(project: Project, study: optuna.Study) -> None:
    tags = {SWEEP: "s", TRIAL: "1", "backend": "lightning", PARENT_RUN: study.user_attrs[PARENT]}
    runs.write_run(store.open_experiment(project), "begun", tags=tags, params={}, points=[])
    assert reconcile(project, "s", apply=False) == []


def test_what_a_person_has_to_decide_stays(project: Project, study: optuna.Study) -> None:
    MlflowClient().delete_run(study.user_attrs[PARENT])
    (found,) = reconcile(project, "s", apply=True)
    assert "is not in MLflow" in found.what
    assert found.repair is None
    assert len(reconcile(project, "s", apply=False)) == 1


def test_runs_of_a_study_of_the_same_name_elsewhere_are_left(project: Project, study: optuna.Study) -> None:
    tags = {SWEEP: "s", TRIAL: "0", "backend": "lightning", PARENT_RUN: "another"}
    runs.write_run(store.open_experiment(project), "other", tags=tags, params={}, points=[])
    assert reconcile(project, "s", apply=True) == []


def test_the_open_run_of_a_finished_trial_is_finished_not_killed(project: Project, study: optuna.Study) -> None:
    client = MlflowClient()
    client.update_run(run_of(study), "RUNNING")
    for name, value in {**owner.owner_tags(), owner.STARTED: "0.00"}.items():
        client.set_tag(run_of(study), name, value)
    fixed(project, f"its run {run_of(study)} is RUNNING")
    assert client.get_run(run_of(study)).info.status == "FINISHED"
