"""Every sampler and pruner that params.yaml can name, on real studies of a function that costs nothing."""

import sys
from collections.abc import Callable

import optuna
import pytest

from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep import queue
from experiments.sweep.launch import STARTED, Launcher
from experiments.sweep.plan import Plan
from experiments.sweep.storage import connect
from experiments.sweep.study import load_study
from tests.sweep.conftest import MakePlan

OpenPlan = Callable[[Plan], optuna.Study]


def train(study: optuna.Study, plan: Plan, trials: int) -> list[dict[str, float]]:
    """Take and tell so many trials; the loss is smallest at lr 0.01, momentum 0.9, dropout 0.4."""
    found = []
    for _ in range(trials):
        (trial,) = queue.claim(study)
        settings = plan.suggest(trial)
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
    queue.fill(open_plan(plan), 12)
    first, *others = train(load_study(connect(project), "s"), plan, 12)
    assert first == {"lr": 0.01, "dropout": 0.4, "momentum": 0.9}
    for settings in others:
        for name, value in settings.items():
            assert plan.space[name]["low"] <= value <= plan.space[name]["high"]
    assert len({tuple(settings.values()) for settings in others}) == len(others)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_two_workers_draw_different_points(project: Project, make: MakePlan, open_plan: OpenPlan, sampler: str) -> None:
    plan = make(sampler=sampler)
    queue.fill(open_plan(plan), 9)
    workers = [load_study(connect(project), "s", worker=number) for number in (0, 1)]
    drawn = [settings for _ in range(4) for worker in workers for settings in train(worker, plan, 1)]
    assert len({tuple(settings.values()) for settings in drawn}) == 8


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "gp"])
def test_the_workers_of_a_study_that_is_resumed_draw_no_point_again(
    project: Project, params: Params, make: MakePlan, open_plan: OpenPlan, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make(sampler=sampler)
    study = open_plan(plan)
    queue.fill(study, 9)
    monkeypatch.setattr(sys, "executable", "true")
    drawn: list[tuple[float, ...]] = []
    for _ in range(2):  # two commands, each of which starts one worker
        number = study.user_attrs.get(STARTED, 0)
        Launcher(project, params, plan, study, budget=9, workers=1)._start(0)
        drawn += [tuple(one.values()) for one in train(load_study(connect(project), "s", worker=number), plan, 4)]
    assert len(set(drawn)) == 8


@pytest.mark.parametrize(("pruner", "prunes"), [("median", True), ("halving", True), ("none", False)])
def test_a_pruner_stops_what_is_worse_than_the_rest(
    project: Project, make: MakePlan, open_plan: OpenPlan, pruner: str, prunes: bool
) -> None:
    plan = make(pruner=pruner)
    queue.fill(open_plan(plan), 7)
    study = load_study(connect(project), "s")
    train(study, plan, 6)
    (trial,) = queue.claim(study)
    trial.report(100.0, 1)
    assert bool(trial.should_prune()) is prunes


def test_hyperband_knows_how_long_a_trial_can_last(project: Project, make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make(pruner="hyperband")
    queue.fill(open_plan(plan), 20)
    study = load_study(connect(project), "s")
    train(study, plan, 1)
    pruned = 0
    for _ in range(19):
        (trial,) = queue.claim(study)
        plan.suggest(trial)
        for epoch in range(1, plan.settings.epochs + 1):
            trial.report(100.0 + trial.number, epoch)
            if trial.should_prune():
                pruned += 1
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, 100.0)
    assert pruned > 5
