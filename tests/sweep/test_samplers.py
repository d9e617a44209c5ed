"""Every sampler and pruner that params.yaml can name, on real studies of a function that costs nothing."""

from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.samplers import TPESampler

from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep.drawing import next_trial
from experiments.sweep.importance import importance
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.plan import Plan
from experiments.sweep.samplers import check_sampler, make_sampler
from experiments.sweep.storage import connect
from experiments.sweep.study import load_study, open_study
from experiments.system.errors import TandemError
from tests.sweep.conftest import MakePlan
from tests.sweep.spaces import ALWAYS, MIXED, NUMBERS, plan_over

OWN = {"optimiser": "sgd", "lr": 0.01, "momentum": 0.9, "batch_size": 100, "drop_last": False}
OpenPlan = Callable[[Plan], optuna.Study]


def train(study: optuna.Study, plan: Plan, trials: int) -> list[dict[str, float]]:
    """Take and tell so many trials; the loss is smallest at lr 0.01, momentum 0.9, dropout 0.4."""
    found = []
    for _ in range(trials):
        trial = next_trial(study, plan.ranges)
        settings = trial.params
        loss = abs(settings["lr"] - 0.01) + abs(settings["momentum"] - 0.9) + abs(settings["dropout"] - 0.4)
        for epoch in (1, 2, 3):
            trial.report(loss + 1 / epoch, epoch)
            trial.should_prune()  # halving notes here how far a trial came
        study.tell(trial, loss)
        found.append(dict(settings))
    return found


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes", "gp"])
def test_a_sampler_stays_within_bounds_after_the_recipe_s_own_settings(
    project: Project, make: MakePlan, open_plan: OpenPlan, sampler: str
) -> None:
    plan = make(sampler=sampler)
    open_plan(plan)
    first, *others = train(load_study(connect(project), "s"), plan, 12)
    assert first == {"lr": 0.01, "dropout": 0.4, "momentum": 0.9}
    for settings in others:
        for name, value in settings.items():
            assert plan.space[name]["low"] <= value <= plan.space[name]["high"]
    assert len({tuple(settings.values()) for settings in others}) == len(others)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes", "gp"])
def test_a_study_has_the_sampler_and_the_pruner_of_its_plan(make: MakePlan, open_plan: OpenPlan, sampler: str) -> None:
    plan = make(sampler=sampler, pruner="halving")
    for study in (open_plan(plan), open_plan(plan)):  # begun, and resumed
        assert type(study.sampler) is type(make_sampler(plan))
        assert isinstance(study.pruner, optuna.pruners.SuccessiveHalvingPruner)


def test_tpe_draws_what_it_draws_without_being_told_its_space(make: MakePlan) -> None:
    plan = make(sampler="tpe")
    told, untold = (optuna.create_study(sampler=each) for each in (make_sampler(plan), TPESampler(seed=plan.seed)))
    assert train(told, plan, 20) == train(untold, plan, 20)  # ten at random, ten by TPE


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_a_study_that_is_resumed_draws_no_point_again(make: MakePlan, open_plan: OpenPlan, sampler: str) -> None:
    plan = make(sampler=sampler)
    drawn = [tuple(one.values()) for _ in range(2) for one in train(open_plan(plan), plan, 4)]
    assert len(set(drawn)) == 8


@pytest.mark.parametrize(
    ("sampler", "space"), [("tpe", MIXED), ("random", MIXED), ("qmc", MIXED), ("gp", ALWAYS), ("cmaes", NUMBERS)]
)
def test_every_trial_of_a_mixed_space_is_a_recipe_and_a_sweep_resumes_exactly(
    project: Project, params: Params, sampler: str, space: dict[str, Any]
) -> None:
    plan = plan_over(params, space, sampler=sampler)
    check_sampler(plan)
    stopped = open_study(connect(project), plan)
    draw_trials(OpenStudy(stopped, connect(project), plan, project.root), 12)
    found = draw_trials(OpenStudy(load_study(connect(project), "s"), connect(project), plan, project.root), 10)
    assert found[0] == plan.own_settings == {name: OWN[name] for name in plan.space}
    for settings in found[1:]:
        recipe = plan.recipe_of(settings)
        assert settings.keys() == {name for name in plan.space if name != "momentum" or recipe.optimiser == "sgd"}
        assert (recipe.momentum is None) == (recipe.optimiser == "adam")
        assert all(plan.ranges[name].has(value) for name, value in settings.items())
        assert all(type(value) is type(OWN[name]) for name, value in settings.items())
    assert len({tuple(settings.items()) for settings in found}) == 22
    if sampler == "random":
        check_importance(load_study(connect(project), "s"), plan)
    whole = open_study(optuna.storages.InMemoryStorage(), plan)
    assert draw_trials(OpenStudy(whole, optuna.storages.InMemoryStorage(), plan, project.root), 22) == found


def check_importance(study: optuna.Study, plan: Plan) -> None:
    """See that a setting which some trials lack has the importance that one evaluator knows."""
    found = importance(study, plan.ranges)
    assert found["settings"].keys() == plan.ranges.keys()
    assert found["evaluators"]["PED-ANOVA"].keys() == plan.ranges.keys()
    assert found["evaluators"]["fANOVA"].keys() == plan.ranges.keys() - {"momentum"}


def draw_trials(target: OpenStudy, trials: int) -> list[dict[str, Any]]:
    """Take and tell so many trials as a controller does; return the settings of all."""
    for _ in range(trials):
        trial = target.ask(set())
        recipe = target.plan.recipe_of(trial.params)
        target.study.tell(trial, abs(recipe.lr - 0.01) + abs((recipe.momentum or 0.1) - 0.9) + recipe.batch_size / 1e4)
    return [trial.params for trial in target.study.get_trials(deepcopy=False)]


@pytest.mark.parametrize(
    ("sampler", "space", "message"),
    [
        ("cmaes", ALWAYS, "expected tpe, random, qmc or gp, since drop_last is searched among choices; got cmaes"),
        ("gp", {**ALWAYS, "weight_decay": {"low": 0.001, "high": 0.1}}, "since weight_decay is missing in the recipe"),
        ("gp", MIXED, "expected tpe, random or qmc, since momentum has a condition; got gp, which needs every"),
    ],
)
def test_a_space_that_a_sampler_can_t_search_is_one_line(
    params: Params, sampler: str, space: dict[str, Any], message: str
) -> None:
    with pytest.raises(TandemError, match=r"^params\.yaml: sweep\.sampler: .*" + message):
        check_sampler(plan_over(params, space, sampler=sampler))


@pytest.mark.parametrize(("pruner", "prunes"), [("median", True), ("halving", True), ("none", False)])
def test_a_pruner_stops_what_is_worse_than_the_rest(
    project: Project, make: MakePlan, open_plan: OpenPlan, pruner: str, prunes: bool
) -> None:
    plan = make(pruner=pruner)
    open_plan(plan)
    study = load_study(connect(project), "s")
    train(study, plan, 6)
    trial = next_trial(study, plan.ranges)
    trial.report(100.0, 1)
    assert bool(trial.should_prune()) is prunes


def test_hyperband_knows_how_long_a_trial_can_last(project: Project, make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make(pruner="hyperband")
    open_plan(plan)
    study = load_study(connect(project), "s")
    train(study, plan, 1)
    pruned = 0
    for _ in range(19):
        trial = next_trial(study, plan.ranges)
        for epoch in range(1, plan.settings.epochs + 1):
            trial.report(100.0 + trial.number, epoch)
            if trial.should_prune():
                pruned += 1
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, 100.0)
    assert pruned > 5
