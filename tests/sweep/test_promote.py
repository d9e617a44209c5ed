"""params.yaml after a promotion: a recipe more, and not a comment less."""

import difflib
import io
from dataclasses import replace

import pytest

from experiments.settings.params import Params, parse_params
from experiments.settings.project import Project
from experiments.sweep import promote as module
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.sweep.plan import make_plan
from experiments.sweep.promote import promote, round_trip, write_recipe
from experiments.sweep.space import space_of
from experiments.system.errors import TandemError
from tests.conftest import ROOT

TEXT = (ROOT / "params.yaml").read_text()
SETTINGS = {"lr": 0.0123456789, "dropout": 0.25, "momentum": 1e-05}


def confirmation(params: Params, recipe: str, *, number: int = 7, own: bool = False) -> Confirmation:
    space = space_of(params, recipe)
    plan = make_plan(params, recipe=recipe, backends="lightning", name=None, space=space, dataset="x")
    settings = {name: SETTINGS[name] for name in plan.space}
    return Confirmation(plan, 3, [2, 3], [Candidate(number, settings, 0.1, {2: 0.10, 3: 0.12}, own=own)])


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
    return [one[2:] for one in lines if one[0] == "-"], [one[2:] for one in lines if one[0] == "+"]


def test_reading_and_writing_changes_nothing() -> None:
    stream = io.StringIO()
    round_trip().dump(round_trip().load(TEXT), stream)
    assert stream.getvalue() == TEXT


@pytest.mark.parametrize("recipe", ["lenet", "basic_cnn", "cnn2", "cnn3-sgd", "inception"])
def test_the_winner_is_added_and_nothing_else_changes(params: Params, recipe: str) -> None:
    after = write_recipe(TEXT, confirmation(params, recipe))
    gone, new = changed(TEXT, after)
    assert gone == ["  recipes: [lenet] # `dvc repro` trains each of these"]
    listed = ["lenet", f"{recipe}-tuned"] if recipe == "lenet" else ["lenet", recipe, f"{recipe}-tuned"]
    assert f"  recipes: [{', '.join(listed)}] # `dvc repro` trains each of these" in new
    found = parse_params(after)
    original, tuned = found.recipes[recipe], found.recipes[f"{recipe}-tuned"]
    winner = confirmation(params, recipe).winner.settings
    origin = f"study {recipe}-lightning, trial 7"
    assert tuned == original.model_copy(update={**winner, "origin": origin})
    names = list(found.recipes)
    assert names.index(f"{recipe}-tuned") == names.index(recipe) + 1
    # So that a reader finds it: an empty line before, as between all recipes.
    assert f"\n\n  {recipe}-tuned:\n" in after
    assert "# val/loss 0.1100 ± 0.1271 after 3 epoch(s), seeds 2 to 3" in after


def test_a_second_promotion_takes_the_place_of_the_first(params: Params) -> None:
    for recipe in ("cnn2", "inception"):
        once = write_recipe(TEXT, confirmation(params, recipe))
        assert write_recipe(once, confirmation(params, recipe)) == once
        twice = write_recipe(once, confirmation(params, recipe, number=9))
        assert [line.split("#")[0].strip() for line in changed(once, twice)[1]] == [
            f"origin: study {recipe}-lightning, trial 9"
        ]


@pytest.fixture
def confirmed(monkeypatch: pytest.MonkeyPatch) -> "list[Confirmation | None]":
    """What the storage says of the study: the first item of the list."""
    said: list[Confirmation | None] = [None]
    monkeypatch.setattr(module, "last_confirmation", lambda storage, name: said[0])
    return said


def test_promotion_writes_the_file(project: Project, params: Params, confirmed: "list[Confirmation | None]") -> None:
    confirmed[0] = confirmation(params, "cnn3-sgd")
    done = promote(project, params, "cnn3-sgd-lightning")
    assert done.recipe == "cnn3-sgd-tuned"
    assert "+    origin: study cnn3-sgd-lightning, trial 7" in done.diff
    assert parse_params(project.params.read_text()).recipes["cnn3-sgd-tuned"].dropout == 0.25


@pytest.mark.parametrize("case", ["unconfirmed", "own", "failed", "changed", "by hand"])
def test_what_can_t_be_promoted_is_one_line_and_changes_nothing(
    project: Project, params: Params, confirmed: "list[Confirmation | None]", case: str
) -> None:
    found = confirmation(params, "cnn3-sgd")
    confirmed[0] = found
    recipe = params.recipes["cnn3-sgd"]
    expected = {
        "unconfirmed": "NAME: expected a study that is confirmed; got 'x'; run `tandem sweep confirm x`",
        "own": "NAME: expected a winner other than the recipe's own settings; got those",
        "failed": "NAME: expected a winner with all of its seeds; got trial 7, which failed",
        "changed": "params.yaml: recipes.cnn3-sgd.batch_size: expected 100, as when the sweep began; got 50",
        "by hand": "params.yaml: recipes.cnn3-sgd-tuned: expected none, or one that a promotion wrote",
    }
    if case == "unconfirmed":
        confirmed[0] = None
    if case == "own":
        confirmed[0] = confirmation(params, "cnn3-sgd", own=True)
    if case == "failed":
        confirmed[0] = replace(found, candidates=[replace(found.winner, values={2: 0.1})])
    if case == "changed":
        recipes = {**params.recipes, "cnn3-sgd": recipe.model_copy(update={"batch_size": 50})}
        params = params.model_copy(update={"recipes": recipes})
    if case == "by hand":
        params = params.model_copy(update={"recipes": {**params.recipes, "cnn3-sgd-tuned": recipe}})
    with pytest.raises(TandemError) as caught:
        promote(project, params, "x")
    assert str(caught.value).startswith(expected[case])
    assert project.params.read_text() == TEXT
