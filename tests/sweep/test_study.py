import optuna
import pytest

from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep.plan import make_plan, read_plan
from experiments.sweep.run import Where, count_workers
from experiments.sweep.space import space_of
from experiments.sweep.storage import connect
from experiments.sweep.study import load_studies, load_study, open_study
from experiments.system.errors import TandemError
from tests.sweep.conftest import MakePlan


def test_a_study_holds_its_plan_and_the_recipe_s_own_settings(project: Project, make: MakePlan) -> None:
    plan = make()
    study = open_study(connect(project), plan)
    assert read_plan(study) == plan
    assert [trial.system_attrs["fixed_params"] for trial in study.trials] == [
        {"lr": 0.01, "dropout": 0.4, "momentum": 0.9}
    ]
    assert len(open_study(connect(project), plan).trials) == 1


@pytest.mark.parametrize("enqueued", [0, 1])
def test_a_process_that_is_killed_while_it_makes_a_study_leaves_one_that_is_finished(
    project: Project, make: MakePlan, enqueued: int
) -> None:
    plan = make()
    left = optuna.create_study(storage=connect(project), study_name="s")
    if enqueued:
        left.enqueue_trial({"lr": 0.01, "dropout": 0.4, "momentum": 0.9})
    study = open_study(connect(project), plan)
    assert read_plan(study) == plan
    assert len(study.trials) == 1


def test_a_study_of_others_is_left_alone(project: Project, make: MakePlan) -> None:
    other = optuna.create_study(storage=connect(project), study_name="s")
    other.tell(other.ask(), 1.0)
    with pytest.raises(TandemError, match="--name: expected a study of `tandem sweep`, or a new name; got 's'"):
        open_study(connect(project), make())
    assert load_studies(connect(project), None) == []
    with pytest.raises(TandemError, match="NAME: expected a study made by `tandem sweep run`; got 's'"):
        load_study(connect(project), "s")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"sampler": "random"}, "sampler = tpe; got random"),
        ({"dataset": "other"}, "dataset = data; got other"),
        ({"objective": "val/accuracy"}, "objective = val/loss; got val/accuracy"),
        ({"code": {"lightning": "other"}}, "code.lightning = [0-9a-f]{16}; got other"),
    ],
)
def test_a_name_that_is_taken_by_another_plan_is_one_line(
    project: Project, make: MakePlan, changes: dict[str, object], place: str
) -> None:
    open_study(connect(project), make())
    with pytest.raises(TandemError, match=f"--name: expected a new name, since study 's' was begun with {place}"):
        open_study(connect(project), make(**changes))


def test_a_study_that_is_not_there_is_one_line(project: Project, make: MakePlan) -> None:
    open_study(connect(project), make())
    with pytest.raises(TandemError, match="NAME: expected one of the studies s; got 't'"):
        load_study(connect(project), "t")


@pytest.mark.parametrize("name", ["../up", "A", "a b", "", "a/b"])
def test_a_name_that_is_no_folder_is_one_line(params: Params, name: str) -> None:
    space = space_of(params, "lenet")
    with pytest.raises(TandemError, match="--name: expected lower-case letters, digits, '-' and '_'; got"):
        make_plan(params, recipe="lenet", backends="keras", name=name, space=space, dataset="x")


def test_the_command_that_resumes_a_sweep_has_its_epochs(params: Params) -> None:
    space = space_of(params, "lenet", 3)
    plan = make_plan(params, recipe="lenet", backends="keras", name="n", space=space, dataset="x")
    assert plan.settings.epochs == 3
    assert plan.command == "tandem sweep run --recipe lenet --backend keras --epochs 3 --name n"


def test_trials_hold_validation_out_whatever_the_recipe_trains_on(params: Params) -> None:
    plan = make_plan(params, recipe="lenet", backends="keras", name=None, space=space_of(params, "lenet"), dataset="x")
    assert params.recipes["lenet"].train_on == "train+validation"
    assert (plan.settings.train_on, plan.settings.test_every_epoch, plan.name) == ("train", False, "lenet-keras")


def test_pairs_need_a_worker_for_each_framework() -> None:
    assert count_workers(Where(), "keras") == 1
    assert count_workers(Where(), "both") == 2
    assert count_workers(Where(workers=3), "both") == 3
    for workers, backends, least in ((1, "both", 2), (0, "keras", 1)):
        with pytest.raises(TandemError, match=f"--workers: expected {least} or more, one for each framework; got"):
            count_workers(Where(workers=workers), backends)  # type: ignore[arg-type]
