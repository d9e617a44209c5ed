"""Every sampler and pruner that params.yaml can name, on real studies of a function that costs nothing."""

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from experiments.settings.project import Project
from experiments.sweep.plan import Plan
from experiments.sweep.storage import connect
from experiments.sweep.study import EachByItself, load_study, make_sampler, open_study
from tests.sweep.conftest import MakePlan

SAMPLERS: dict[str, type[optuna.samplers.BaseSampler]] = {
    "tpe": optuna.samplers.TPESampler,
    "random": optuna.samplers.RandomSampler,
    "qmc": optuna.samplers.QMCSampler,
    "cmaes": optuna.samplers.CmaEsSampler,
    "gp": optuna.samplers.GPSampler,
}
OpenPlan = Callable[[Plan], optuna.Study]


def train(study: optuna.Study, plan: Plan, trials: int) -> list[dict[str, float]]:
    """Take and tell so many trials; the loss is smallest at lr 0.01, momentum 0.9, dropout 0.4."""
    found = []
    for _ in range(trials):
        trial = study.ask(plan.distributions)
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
        assert isinstance(study.sampler, EachByItself)
        assert type(study.sampler.sampler) is SAMPLERS[sampler]
        assert isinstance(study.pruner, optuna.pruners.SuccessiveHalvingPruner)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_a_study_that_is_resumed_draws_no_point_again(make: MakePlan, open_plan: OpenPlan, sampler: str) -> None:
    plan = make(sampler=sampler)
    drawn = [tuple(one.values()) for _ in range(2) for one in train(open_plan(plan), plan, 4)]
    assert len(set(drawn)) == 8


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
# Before a sampler draws the settings together, and after. (GP then counts such a trial among those that run.)
@pytest.mark.parametrize(("sampler", "finished"), [("random", 2), ("tpe", 2), ("tpe", 12), ("cmaes", 2), ("gp", 2)])
def test_a_kill_amid_the_settings_of_a_trial_changes_none(make: MakePlan, sampler: str, finished: int) -> None:
    plan = make(sampler=sampler)

    def draw(before_the_kill: int | None) -> dict[str, float]:
        storage = optuna.storages.InMemoryStorage()
        study = open_study(storage, plan)
        train(study, plan, finished)
        if before_the_kill is not None:
            study.sampler = make_sampler(plan, drawn=finished)
            study.ask(dict(list(plan.distributions.items())[:before_the_kill]))
            trial_id = storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name("s"), finished)
            storage.set_trial_state_values(trial_id, TrialState.WAITING)
        study.sampler = make_sampler(plan, drawn=finished)
        trial = study.ask(plan.distributions)
        assert trial.number == finished
        return trial.params

    undisturbed = draw(None)
    assert len(undisturbed) == 3
    assert [draw(known) for known in range(4)] == [undisturbed] * 4


@pytest.mark.parametrize(("pruner", "prunes"), [("median", True), ("halving", True), ("none", False)])
def test_a_pruner_stops_what_is_worse_than_the_rest(
    project: Project, make: MakePlan, open_plan: OpenPlan, pruner: str, prunes: bool
) -> None:
    plan = make(pruner=pruner)
    open_plan(plan)
    study = load_study(connect(project), "s")
    train(study, plan, 6)
    trial = study.ask(plan.distributions)
    trial.report(100.0, 1)
    assert bool(trial.should_prune()) is prunes


def test_hyperband_knows_how_long_a_trial_can_last(project: Project, make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make(pruner="hyperband")
    open_plan(plan)
    study = load_study(connect(project), "s")
    train(study, plan, 1)
    pruned = 0
    for _ in range(19):
        trial = study.ask(plan.distributions)
        for epoch in range(1, plan.settings.epochs + 1):
            trial.report(100.0 + trial.number, epoch)
            if trial.should_prune():
                pruned += 1
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, 100.0)
    assert pruned > 5
