"""Which trials are confirmed, and what is said of them; the training itself is in tests/end_to_end."""

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from experiments.settings.project import Project
from experiments.sweep import queue
from experiments.sweep.confirm import (
    ASKED,
    CONFIRMED_BY,
    candidates_of,
    enqueue,
    last_confirmation,
    load_sweep,
    plan_of,
    read_confirmation,
)
from experiments.sweep.confirm_report import to_markdown, verdicts
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.sweep.plan import Plan
from experiments.sweep.storage import connect
from experiments.sweep.worker import suggest
from experiments.system.errors import TandemError
from tests.sweep.conftest import MakePlan

OpenPlan = Callable[[Plan], optuna.Study]


def candidate(number: int, *values: float, own: bool = False) -> Candidate:
    return Candidate(number, {"lr": 0.01, "dropout": 0.1, "momentum": 0.5}, 0.1, dict(enumerate(values, 2)), own=own)


def test_the_difference_is_that_of_pairs_of_seeds(make: MakePlan) -> None:
    # Between seeds the losses differ by ten times as much as between the settings: only seed by seed it shows.
    found = Confirmation(make(), 15, [2, 3, 4], [candidate(1, 0.10, 0.50, 0.90), candidate(2, 0.13, 0.54, 0.95)])
    difference = found.difference(found.candidates[1])
    assert difference.mean == pytest.approx(0.04)
    assert difference.half == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-3)  # t(0.975, 2) = 4.303
    assert verdicts(found)[-1].startswith("Trial 1 is **really ahead of** trial 2: by 0.0400 ± 0.0248")


def test_a_lead_within_the_spread_is_none(make: MakePlan) -> None:
    found = Confirmation(
        make(), 15, [2, 3, 4], [candidate(1, 0.10, 0.12, 0.11), candidate(2, 0.13, 0.11, 0.12, own=True)]
    )
    (line,) = verdicts(found)
    assert line.startswith("Trial 1 is **not told apart from** trial 2 (the recipe's own settings)")


def test_of_an_accuracy_more_is_better_and_shown_in_per_cent(make: MakePlan) -> None:
    plan = make(objective="val/accuracy")
    found = Confirmation(plan, 15, [2, 3], [candidate(1, 0.98, 0.99), candidate(2, 0.97, 0.98)])
    assert found.difference(found.candidates[1]).mean == pytest.approx(0.01)
    assert "| 1 | 0.01 | 0.1 | 0.5 | 10.00 | 98.50 ± 6.35 |" in to_markdown(found)


def finish(study: optuna.Study, plan: Plan, *values: float | None) -> list[FrozenTrial]:
    """Take and tell the waiting trials; None: failed."""
    for value in values:
        (trial,) = queue.claim(study)
        suggest(trial, plan)
        study.tell(trial, value, state=TrialState.FAIL if value is None else TrialState.COMPLETE)
    return study.get_trials()


def test_the_best_and_the_recipe_s_own_settings_are_confirmed(
    make: MakePlan, open_plan: OpenPlan, project: Project
) -> None:
    plan = make()
    study = open_plan(plan)
    queue.fill(study, 5)
    finish(study, plan, 0.5, 0.2, None, 0.1, 0.3)
    assert [trial.number for trial in candidates_of(study, plan, 2)] == [3, 1, 0]
    assert [trial.number for trial in candidates_of(study, plan, 9)] == [3, 1, 4, 0]

    chosen = candidates_of(study, plan, 1)
    again = open_plan(plan_of(plan))
    again.set_user_attr(ASKED, {"candidates": [3, 0], "seeds": [2, 3]})
    assert last_confirmation(connect(project), "s") is None
    study.set_user_attr(CONFIRMED_BY, "s-confirm")
    enqueue(again, chosen, [2, 3])
    enqueue(again, chosen, [2, 3])
    assert [(one.user_attrs["candidate"], one.user_attrs["seed"]) for one in again.trials] == [
        (3, 2),
        (0, 2),
        (3, 3),
        (0, 3),
    ]
    assert last_confirmation(connect(project), "s") is None
    # The sweep's best was lucky: with fresh seeds it is the worse one.
    finish(again, plan, 0.4, 0.3, 0.4, 0.2)
    assert [trial.params for trial in again.trials[:2]] == [trial.params for trial in chosen]
    found = last_confirmation(connect(project), "s")
    assert found is not None
    assert [one.trial for one in found.candidates] == [0, 3]
    assert found.winner.own
    assert found.winner.values == {2: 0.3, 3: 0.2}
    # Asked for again with fewer seeds, it speaks of those alone, as `promote` does.
    again.set_user_attr(ASKED, {"candidates": [3], "seeds": [2]})
    fewer = last_confirmation(connect(project), "s")
    assert fewer is not None
    assert [(one.trial, one.values) for one in fewer.candidates] == [(3, {2: 0.4})]
    assert "The recipe's own settings are not among them" in verdicts(fewer)[0]


def test_a_seed_that_was_lost_to_kills_is_trained_again(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    study = open_plan(plan)
    finish(study, plan, 0.5)
    chosen = candidates_of(study, plan, 1)
    again = open_plan(plan_of(plan))
    enqueue(again, chosen, [2, 3])
    for reason in (f"{queue.LOST} 3 times", "keras: NotFinite: train/loss is nan"):
        (trial,) = queue.claim(again)
        trial.set_user_attr(queue.REASON, reason)
        again.tell(trial, state=TrialState.FAIL)
    enqueue(again, chosen, [2, 3])
    assert [trial.user_attrs["seed"] for trial in again.trials] == [2, 3, 2]


def test_a_candidate_that_fails_with_a_seed_is_no_winner(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    study = open_plan(plan)
    queue.fill(study, 2)
    finish(study, plan, 0.5, 0.2)
    chosen = candidates_of(study, plan, 2)
    again = open_plan(plan_of(plan))
    enqueue(again, chosen, [2, 3])
    finish(again, plan, 0.1, 0.6, None, 0.6)
    found = read_confirmation(again, plan, chosen, [2, 3])
    assert [one.trial for one in found.candidates] == [0, 1]
    assert "failed with 1 seed(s)" in to_markdown(found)


def test_a_confirmation_is_not_confirmed_again(make: MakePlan, open_plan: OpenPlan, project: Project) -> None:
    open_plan(plan_of(make()))
    with pytest.raises(TandemError, match="NAME: expected a sweep; got 's-confirm', the confirmation of 's'"):
        load_sweep(connect(project), "s-confirm")


def test_a_study_without_a_complete_trial_is_one_line(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    with pytest.raises(TandemError, match="NAME: expected a study with complete trials; got 's', which has none yet"):
        candidates_of(open_plan(plan), plan, 3)


def test_a_confirmation_of_other_epochs_is_a_study_of_its_own(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    assert plan_of(plan, plan.settings.epochs) == plan_of(plan)
    longer = plan_of(plan, 40)
    assert (longer.name, longer.settings.epochs, longer.confirms) == ("s-confirm-40-epochs", 40, "s")
    finish(study := open_plan(plan), plan, 0.5)
    chosen = candidates_of(study, plan, 1)
    again = open_plan(longer)
    enqueue(again, chosen, [2, 3])
    finish(again, plan, 0.1, 0.2)
    found = read_confirmation(again, plan, chosen, [2, 3])
    assert found.epochs == 40
    assert "Trained for 40 epoch(s), 15 in the sweep" in to_markdown(found)
