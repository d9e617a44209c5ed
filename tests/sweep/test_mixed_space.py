"""Sweeps over choices, whole numbers and settings with conditions, with simulated workers and both stores."""

from experiments.sweep.confirm import ConfirmRequest, confirm
from experiments.sweep.confirm_report import report_path
from experiments.sweep.plan import read_plan
from experiments.sweep.repeats import REPEATS
from experiments.sweep.report import report
from experiments.sweep.run import Where
from experiments.sweep.storage import connect
from experiments.sweep.study import load_study, summary
from experiments.tracking import runs, store
from tests.sweep.conftest import Sweep
from tests.sweep.simulated import simulated
from tests.sweep.spaces import MIXED, with_sweep


def test_settings_that_are_drawn_again_are_not_trained_again(sweep: Sweep) -> None:
    sweep.params = with_sweep(
        sweep.params, recipe_spaces={"cnn3-sgd": {"drop_last": [True, False], "batch_size": [50, 100]}}
    )
    records = sweep.run(9)
    assert records.states() == ["COMPLETE"] * 9
    settings = {tuple(trial.params.items()) for trial in records.trials}
    assert len(sweep.engine.orders) == len(settings) == 4
    for trial in records.trials:
        first = records.trials[trial.user_attrs.get(REPEATS, trial.number)]
        assert (trial.params, trial.value) == (first.params, first.value)
        assert trial.intermediate_values == first.intermediate_values
        assert trial.user_attrs["mlflow_run_id.lightning"] == first.user_attrs["mlflow_run_id.lightning"]
    assert len(records.runs) == 4


def test_a_trial_has_the_settings_whose_condition_holds(sweep: Sweep) -> None:
    space = {**MIXED, "options.filters": {"low": 8, "high": 64, "log": True}}
    sweep.params = with_sweep(sweep.params, recipe_spaces={"cnn3-sgd": space})
    records = sweep.run(8, backends="both", workers=2)
    assert {trial.params["optimiser"] for trial in records.trials} == {"sgd", "adam"}
    assert [("momentum" in trial.params) for trial in records.trials] == [
        trial.params["optimiser"] == "sgd" for trial in records.trials
    ]
    assert [("options.filters" in trial.params) for trial in records.trials] == [False, *[True] * 7]
    assert len(sweep.engine.orders) == len(records.runs)
    for order in sweep.engine.orders:
        number = int(order.folder.parent.parent.name)
        changed = order.recipe.model_dump() | order.recipe.options
        for name, value in records.trials[number].params.items():
            assert changed[name.removeprefix("options.")] == value
        assert (order.recipe.momentum is None) == (order.recipe.optimiser == "adam")
    check_runs(sweep)
    check_later(sweep)


def check_runs(sweep: Sweep) -> None:
    """See that a nested setting is a parameter of its own in MLflow, and that the report can be written."""
    _, files = report(sweep.project, "s")
    text = next(file for file in files if file.name == "trials.csv").read_text()
    assert text.splitlines()[0].startswith("trial,state,optimiser,lr,batch_size,drop_last,options.filters,momentum,")
    found = runs.search(store.open_experiment(sweep.project), "tags.trial = '1'")
    filters = load_study(connect(sweep.project), "s").trials[1].params["options.filters"]
    assert [run.data.params["options.filters"] for run in found] == [str(filters)] * 2


def check_later(sweep: Sweep) -> None:
    """See that what comes after a sweep takes settings that only some trials have."""
    study = load_study(connect(sweep.project), "s")
    plan = read_plan(study)
    assert summary(study).startswith("s: best trial ")
    sweep.prepare(workers=2)
    said = confirm(sweep.project, sweep.params, ConfirmRequest("s", 2, 2), Where("inline", 2, task=simulated))
    own = next(candidate for candidate in said.candidates if candidate.own)
    assert own.settings == plan.own_settings
    assert "options.filters" not in own.settings
    assert all(len(candidate.values) == 2 for candidate in said.candidates)
    again = read_plan(load_study(connect(sweep.project), "s-confirm"))
    for trial in load_study(connect(sweep.project), "s-confirm").trials:
        assert trial.params == study.trials[trial.user_attrs["candidate"]].params
        assert again.recipe_of(trial.params) == plan.recipe_of(trial.params)
    (line,) = [line for line in report_path(sweep.project, said).read_text().splitlines() if "own |" in line[:30]]
    assert "| –" in line
