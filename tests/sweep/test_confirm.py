"""Which trials are confirmed, and the verdicts; the training itself is in tests/end_to_end."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from experiments.contract.weights import FloatArray
from experiments.reports.made_from import MadeFrom
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep.confirm import (
    ConfirmRequest,
    candidates_of,
    choose_confirmation,
    confirm,
    enqueue,
    plan_of,
    read_confirmation,
    record,
    recorded,
)
from experiments.sweep.confirm_report import draw, report_path, to_markdown, verdicts, write_confirmation
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.sweep.drawing import next_trial
from experiments.sweep.plan import Plan
from experiments.sweep.run import Where
from experiments.sweep.storage import connect
from experiments.sweep.study import load_sweep
from experiments.system.errors import TandemError
from experiments.tracking import store
from experiments.tracking.run import track
from tests.sweep.conftest import MakePlan

OpenPlan = Callable[[Plan], optuna.Study]


def candidate(number: int, *values: float, own: bool = False) -> Candidate:
    return Candidate(number, {"lr": 0.01, "dropout": 0.1, "momentum": 0.5}, 0.1, dict(enumerate(values, 2)), own=own)


def confirmation(plan: Plan, *candidates: Candidate, seeds: int = 3) -> Confirmation:
    return Confirmation(plan, 15, list(range(2, 2 + seeds)), candidates)


def drawn(plan: Plan, values: FloatArray) -> Confirmation:
    """Return a confirmation of values in an array (candidate, seed); the last has the recipe's own settings."""
    last = len(values) - 1
    made = [candidate(number, *row.tolist(), own=number == last) for number, row in enumerate(values)]
    return confirmation(plan, *sorted(made, key=lambda each: np.mean([*each.values.values()])), seeds=len(values[0]))


@pytest.mark.parametrize("spread_of_own", [1, 5])
@pytest.mark.parametrize("count", [2, 3, 10])
def test_equal_candidates_are_told_apart_in_at_most_2_5_per_cent(
    make: MakePlan, count: int, spread_of_own: float
) -> None:
    plan, repeats = make(), 20_000 if spread_of_own == 1 else 5_000
    values = np.random.default_rng(count).normal(size=(repeats, count, 5))
    values[:, -1] *= spread_of_own
    proven = [[lead.other.own for lead in drawn(plan, each).leads() if not lead.doubt] for each in values]
    # 2.5 % and three standard deviations of the simulation; own settings come first, so that these two coincide.
    most = 0.025 + 3 * (0.025 * 0.975 / repeats) ** 0.5
    assert np.mean([any(each) for each in proven]) < most
    assert np.mean([bool(each) for each in proven]) < most


@pytest.mark.parametrize("worse", [1, 5])
def test_no_more_are_if_some_are_truly_worse_than_the_rest(make: MakePlan, worse: int) -> None:
    """Of 6 others, some are equal to the recipe's own settings, the rest are equal and far better."""
    plan, repeats = make(), 5_000
    means = np.array([*[100.0] * worse, *[0.0] * (6 - worse), 100.0])
    values = np.random.default_rng(worse).normal(size=(repeats, 7, 5)) + means[:, None]
    wrong = 0
    for each in values:
        made = drawn(plan, each)
        winner = means[made.winner.trial]
        wrong += any(not lead.doubt and means[lead.other.trial] <= winner for lead in made.leads())
    assert wrong / repeats < 0.025 + 3 * (0.025 * 0.975 / repeats) ** 0.5


def test_a_clear_winner_is_proven(make: MakePlan) -> None:
    plan = make()
    values = np.random.default_rng(0).normal(size=(500, 4, 5))
    values[:, 0] -= 8
    leads = [drawn(plan, each).leads() for each in values]
    assert np.mean([not lead.doubt for each in leads for lead in each if lead.other.own]) > 0.98
    assert np.mean([not lead.doubt for each in leads for lead in each if not lead.other.own]) > 0.9


def test_the_difference_is_that_of_pairs_of_seeds(make: MakePlan) -> None:
    # Between seeds the losses differ by ten times as much as between the settings: only seed by seed it shows.
    made = confirmation(make(), candidate(1, 0.10, 0.50, 0.90), candidate(2, 0.13, 0.54, 0.95, own=True))
    (lead,) = made.leads()
    assert lead.difference.mean == pytest.approx(0.04)
    assert lead.difference.half == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-3)  # t(0.975, 2) = 4.303
    (line, _) = verdicts(made)
    assert line == (
        "Trial 1 is **really ahead of** trial 2 (the recipe's own settings): by 0.0400 ± 0.0248, seed by seed; "
        "the interval does not contain 0."
    )
    assert made.doubts() == []


def test_the_recipe_s_own_settings_come_before_the_second(make: MakePlan) -> None:
    own = candidate(3, 0.1, 0.5, 0.3, own=True)
    made = confirmation(make(), candidate(1, 0.10, 0.11, 0.12), candidate(2, 0.2, 0.2101, 0.2201), own)
    first, second = made.leads()
    assert (first.other, first.doubt) == (own, "the interval contains 0")
    # Far outside of its interval, for six comparisons: t(1 - 0.025/2, 2) = 6.205.
    assert second.difference.half == pytest.approx(6.205 * 0.0001 / 3, rel=1e-2)
    assert "waits for a proven lead over trial 3 (the recipe's own settings)" in str(second.doubt)


def test_a_lead_within_the_spread_is_none(make: MakePlan) -> None:
    made = confirmation(make(), candidate(1, 0.10, 0.12, 0.11), candidate(2, 0.13, 0.11, 0.12, own=True))
    assert verdicts(made)[0].startswith("Trial 1 is **not told apart from** trial 2 (the recipe's own settings)")
    assert "the interval contains 0" in made.doubts()[0]


@pytest.mark.parametrize("step", [0.125, 0.1])  # the differences of the latter are equal but for their rounding
def test_equal_differences_are_no_proof(make: MakePlan, step: float) -> None:
    values = (0.25, 0.5, 0.7)
    made = confirmation(make(), candidate(1, *values), candidate(2, *(value + step for value in values), own=True))
    assert "equal differences with all seeds have no spread to judge by" in made.doubts()[0]


def test_two_seeds_are_no_proof(make: MakePlan) -> None:
    made = confirmation(make(), candidate(1, 0.1, 0.1), candidate(2, 0.8, 0.81, own=True), seeds=2)
    assert "2 seeds are too few for a verdict, which needs 3" in verdicts(made)[0]


def test_of_an_accuracy_more_is_better_and_shown_in_per_cent(make: MakePlan) -> None:
    made = confirmation(
        make(objective="val/accuracy"), candidate(1, 0.98, 0.99), candidate(2, 0.97, 0.98, own=True), seeds=2
    )
    assert made.leads()[0].difference.mean == pytest.approx(0.01)
    (row,) = [line for line in to_markdown(made).splitlines() if line.startswith("| 1 ")]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["1", "0.01", "0.1", "0.5", "10.00", "98.50 ± 6.35"]


@pytest.mark.parametrize(("backends", "colour"), [("lightning", "#0072B2"), ("keras", "#D55E00"), ("both", "black")])
def test_the_colour_of_a_plot_is_the_framework(make: MakePlan, backends: str, colour: str) -> None:
    (axes,) = draw(confirmation(make(backends), candidate(1, 0.1, 0.2), seeds=2)).axes
    assert axes.lines[0].get_color() == colour


def finish(study: optuna.Study, plan: Plan, *values: float | None) -> None:
    """Take and tell the waiting trials, and then new ones; None: failed."""
    for value in values:
        trial = next_trial(study, plan.ranges)
        study.tell(trial, value, state=TrialState.FAIL if value is None else TrialState.COMPLETE)


def test_the_best_and_the_recipe_s_own_settings_are_confirmed(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    study = open_plan(plan)
    finish(study, plan, 0.5, 0.2, None, 0.1, 0.3)
    assert [trial.number for trial in candidates_of(study, plan, 2)] == [3, 1, 0]
    assert [trial.number for trial in candidates_of(study, plan, 9)] == [3, 1, 4, 0]

    chosen = candidates_of(study, plan, 1)
    again = open_plan(plan_of(plan))
    enqueue(again, chosen, [2, 3])
    enqueue(again, chosen, [2, 3])
    keys = [(trial.user_attrs["candidate"], trial.user_attrs["seed"]) for trial in again.trials]
    assert keys == [(3, 2), (0, 2), (3, 3), (0, 3)]
    # The sweep's best was lucky: with fresh seeds it is the worse of the two.
    finish(again, plan, 0.4, 0.3, 0.4, 0.2)
    assert [trial.params for trial in again.trials[:2]] == [trial.params for trial in chosen]
    made = read_confirmation(again, plan, chosen, [2, 3])
    assert [each.trial for each in made.candidates] == [0, 3]
    assert made.winner.own
    assert made.winner.values == {2: 0.3, 3: 0.2}
    assert verdicts(made) == ["The recipe's own settings have the best mean: there is nothing to promote."]


def test_every_confirmation_stays_on_record(
    make: MakePlan, open_plan: OpenPlan, project: Project, stores: Path
) -> None:
    shutil.copytree(stores, project.mlruns)
    plan, storage = make(), connect(project)
    study = open_plan(plan)
    finish(study, plan, 0.5, 0.2)
    experiment = store.connect(project)
    reports: list[Path] = []
    with pytest.raises(TandemError, match="NAME: expected a study that is confirmed; got 's'"):
        choose_confirmation(storage, "s")

    def run(top: int, seeds: list[int], epochs: int | None, values: list[float]) -> str:
        again = open_plan(plan_of(plan, epochs))
        chosen = candidates_of(study, plan, top)
        record(study, read_confirmation(again, plan, chosen, seeds))
        enqueue(again, chosen, seeds)
        finish(again, plan, *values)
        made = read_confirmation(again, plan, chosen, seeds)
        reports.append(report_path(project, made))
        with track("c", experiment=experiment, tags={}, command="") as tracker:
            write_confirmation(project, made, tracker, MadeFrom("tandem sweep confirm s"))
        return made.label

    both = run(2, [2, 3, 4], None, [0.4, 0.3, 0.41, 0.3, 0.4, 0.31])
    fewer = run(2, [2, 3], None, [])
    longer = run(2, [2, 3], 40, [0.2, 0.1, 0.2, 0.1])
    unfinished = run(2, [2, 3, 4, 5, 6], None, [0.4])
    assert both == "15-epochs-3-seeds-trials-0-1"
    assert list(recorded(study)) == [unfinished, longer, fewer, both]
    assert len(set(reports)) == 4
    assert all(path.with_suffix(end).exists() for path in reports for end in (".md", ".json", ".png"))
    # The newest whose trainings have all ended, unless another is asked for.
    assert choose_confirmation(storage, "s").label == longer
    assert choose_confirmation(storage, "s", both).winner.values == {2: 0.3, 3: 0.3, 4: 0.31}
    assert choose_confirmation(storage, "s", fewer).winner.values == {2: 0.3, 3: 0.3}
    with pytest.raises(TandemError, match="run `tandem sweep confirm s` to its end first"):
        choose_confirmation(storage, "s", unfinished)
    with pytest.raises(TandemError, match=f"--confirmation: expected one of {unfinished}, .*; got 'x'"):
        choose_confirmation(storage, "s", "x")
    # What is asked for again becomes the newest.
    assert run(2, [2, 3, 4], None, []) == both
    assert choose_confirmation(storage, "s").label == both


def test_a_candidate_that_diverges_with_a_seed_is_no_winner(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    study = open_plan(plan)
    finish(study, plan, 0.5, 0.2)
    chosen = candidates_of(study, plan, 2)
    again = open_plan(plan_of(plan))
    enqueue(again, chosen, [2, 3])
    finish(again, plan, 0.1, 0.6, float("inf"), 0.6)
    made = read_confirmation(again, plan, chosen, [2, 3])
    assert [each.trial for each in made.candidates] == [0, 1]
    assert "failed with 1 seed(s)" in to_markdown(made)


def test_a_missing_baseline_is_a_doubt(make: MakePlan) -> None:
    made = confirmation(make(), candidate(1, 0.10, 0.11, 0.10), candidate(2, 0.13, 0.12, own=True))
    assert made.doubts() == ["the recipe's own settings are missing, or failed with a seed"]
    assert verdicts(made)[0].endswith("there is no baseline.")


def test_a_confirmation_is_not_confirmed_again(make: MakePlan, open_plan: OpenPlan, project: Project) -> None:
    open_plan(plan_of(make()))
    with pytest.raises(TandemError, match="NAME: expected a sweep; got 's-confirm', the confirmation of 's'"):
        load_sweep(connect(project), "s-confirm")


def test_a_study_without_a_complete_trial_is_one_line(make: MakePlan, open_plan: OpenPlan) -> None:
    plan = make()
    with pytest.raises(TandemError, match="NAME: expected a study with complete trials; got 's', which has none yet"):
        candidates_of(open_plan(plan), plan, 3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"top": 0}, "--top: expected 1 or more; got 0"),
        ({"top": 31}, "--top: expected 30 at most"),
        ({"seeds": 1}, "--seeds: expected 2 or more; got 1"),
        ({"epochs": 0}, "--epochs: expected 1 or more; got 0"),
    ],
)
def test_options_out_of_bounds_are_one_line(
    project: Project, params: Params, changes: dict[str, int], said: str
) -> None:
    with pytest.raises(TandemError, match=said):
        confirm(project, params, ConfirmRequest("s", **changes), Where())


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
    made = read_confirmation(again, plan, chosen, [2, 3])
    assert made.epochs == 40
    assert "Trained for 40 epoch(s), 15 in the sweep" in to_markdown(made)
