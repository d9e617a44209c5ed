"""params.yaml after a promotion: one more recipe, all comments kept."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from experiments.settings.edit import edited
from experiments.settings.params import Params, parse_params
from experiments.settings.project import Project
from experiments.settings.recipe import Recipe
from experiments.sweep import promote as module
from experiments.sweep.confirmation import Candidate, Confirmation
from experiments.sweep.plan import make_plan
from experiments.sweep.promote import add_recipe, promote
from experiments.sweep.space import space_of
from experiments.system.errors import TandemError
from tests.conftest import ROOT
from tests.sweep.spaces import plan_over

TEXT = (ROOT / "params.yaml").read_text()
SETTINGS = {"lr": 0.0123456789, "dropout": 0.25, "momentum": 1e-05}


def confirmation(params: Params, recipe: str, *, number: int = 7) -> Confirmation:
    """Return a confirmation whose winner is clearly ahead of the recipe's own settings, and these of a third."""
    space = space_of(params, recipe)
    plan = make_plan(params, recipe=recipe, backends="lightning", name=None, space=space, dataset="x")
    settings = {name: SETTINGS[name] for name in plan.space}
    means = {number: 0.10, 0: 0.50, 1: 0.60}
    candidates = [
        Candidate(trial, settings, 0.1, {2: mean, 3: mean + 0.02, 4: mean + 0.001 * trial}, own=trial == 0)
        for trial, mean in means.items()
    ]
    return Confirmation(plan, 3, [2, 3, 4], candidates)


def promoted(params: Params, recipe: str, text: str = TEXT, *, number: int = 7, keep_split: bool = False) -> str:
    made = confirmation(params, recipe, number=number)
    return edited(text, lambda _, content: add_recipe(content, made, keep_split=keep_split))


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


@pytest.mark.parametrize("recipe", ["lenet", "basic_cnn", "cnn2", "cnn3-sgd", "inception"])
def test_the_winner_is_added_and_nothing_else_changes(params: Params, recipe: str) -> None:
    after = promoted(params, recipe)
    gone, new = changed(TEXT, after)
    assert gone == ["  recipes: [lenet] # `dvc repro` trains each of these recipes"]
    listed = ["lenet", f"{recipe}-tuned"] if recipe == "lenet" else ["lenet", recipe, f"{recipe}-tuned"]
    assert f"  recipes: [{', '.join(listed)}] # `dvc repro` trains each of these recipes" in new
    written = parse_params(after)
    original, tuned = written.recipes[recipe], written.recipes[f"{recipe}-tuned"]
    winner = confirmation(params, recipe).winner.settings
    origin, split = f"study {recipe}-lightning, trial 7", {"train_on": "train", "test_every_epoch": False}
    assert tuned == original.model_copy(update={**winner, **split, "origin": origin})
    names = list(written.recipes)
    assert names.index(f"{recipe}-tuned") == names.index(recipe) + 1
    # So that a reader finds it: an empty line before, as between all recipes.
    assert f"\n\n  {recipe}-tuned:\n" in after
    assert "# val/loss 0.1090 ± 0.0252 after 3 epoch(s), seeds 2 to 4" in after


def test_nested_settings_are_added_and_those_that_go_with_others_removed(params: Params) -> None:
    space = {
        "optimiser": ["sgd", "adam"],
        "momentum": {"low": 0.0, "high": 0.99, "when": {"optimiser": "sgd"}},
        "options.filters": {"low": 8, "high": 64},
        "weight_decay": {"low": 1e-6, "high": 0.1, "log": True},
        "schedule.kind": ["constant", "cosine"],
        "schedule.final_share": {"low": 0.0, "high": 0.5, "when": {"schedule.kind": "cosine"}},
        "batch_size": [50, 100],
    }
    plan = plan_over(params, space)
    assert plan.own_settings == {"optimiser": "sgd", "momentum": 0.9, "batch_size": 100}
    settings = {"optimiser": "adam", "options.filters": 16, "weight_decay": 1e-05, "schedule.kind": "cosine"}
    settings |= {"schedule.final_share": 0.25, "batch_size": 50}
    made = confirmation(params, "cnn3-sgd")
    made = replace(made, plan=plan, candidates=[replace(made.winner, settings=settings)])
    after = edited(TEXT, lambda _, content: add_recipe(content, made, keep_split=False))
    tuned = parse_params(after).recipes["cnn3-sgd-tuned"]
    epochs = {"epochs": plan.settings.epochs, "origin": "study s, trial 7"}
    assert tuned == Recipe.model_validate(plan.recipe_of(settings).model_dump() | epochs)
    assert (tuned.momentum, tuned.options, tuned.batch_size) == (None, {"filters": 16}, 50)
    (block,) = re.findall(r"\n\n  cnn3-sgd-tuned:\n(.*?)\n\n", after, re.DOTALL)
    assert [line.split(":")[0].strip() for line in block.splitlines()] == [
        *("architecture", "origin", "options", "filters", "scaling", "initialiser", "optimiser", "lr", "weight_decay"),
        *("schedule", "kind", "final_share", "dropout", "batch_size", "epochs"),
    ]


def test_the_original_s_split_is_kept_on_demand(params: Params) -> None:
    recipe = parse_params(promoted(params, "lenet", keep_split=True)).recipes["lenet-tuned"]
    assert (recipe.train_on, recipe.test_every_epoch) == ("train+validation", True)


def test_a_second_promotion_replaces_the_first(params: Params) -> None:
    for recipe in ("cnn2", "inception"):
        once = promoted(params, recipe)
        assert promoted(params, recipe, once) == once
        twice = promoted(params, recipe, once, number=9)
        assert [line.split("#")[0].strip() for line in changed(once, twice)[1]] == [
            f"origin: study {recipe}-lightning, trial 9"
        ]


def choose(monkeypatch: pytest.MonkeyPatch, made: Confirmation) -> None:
    """Let the storage have this confirmation."""
    monkeypatch.setattr(module, "choose_confirmation", lambda storage, name, label: made)


def test_promotion_writes_the_file(project: Project, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch, confirmation(params, "cnn3-sgd"))
    made, diff = promote(project, "cnn3-sgd-lightning")
    assert made.label == "3-epochs-3-seeds-trials-0-1-7"
    assert "+    origin: study cnn3-sgd-lightning, trial 7" in diff
    assert parse_params(project.params.read_text()).recipes["cnn3-sgd-tuned"].dropout == 0.25


def _with_values(made: Confirmation, candidates: Sequence[Candidate], *values: float) -> Confirmation:
    """Return a confirmation whose first candidate has other values."""
    winner = replace(made.winner, values=dict(zip(made.seeds, values, strict=False)))
    return replace(made, candidates=[winner, *candidates])


@pytest.mark.parametrize("case", ["own", "failed", "changed", "by hand"])
def test_what_can_t_be_promoted_is_one_line_and_changes_nothing(
    project: Project, params: Params, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    made = confirmation(params, "cnn3-sgd")
    expected = {
        "own": "NAME: expected a winner other than the recipe's own settings; got those",
        "failed": "NAME: expected a winner with all of its seeds; got trial 7, which failed",
        "changed": "params.yaml: recipes.cnn3-sgd.batch_size: expected 100, as when the sweep began; got 50",
        "by hand": "params.yaml: recipes.cnn3-sgd-tuned: expected none, or one that a promotion wrote",
    }
    text = TEXT
    if case == "own":
        made = replace(made, candidates=[replace(made.winner, own=True)])
    if case == "failed":
        made = _with_values(made, [], 0.1)
    if case == "changed":
        text = edited(TEXT, lambda _, content: content["recipes"]["cnn3-sgd"].update(batch_size=50))
    if case == "by hand":
        text = edited(TEXT, lambda _, content: content["recipes"].update({"cnn3-sgd-tuned": content["recipes"]["mlp"]}))
    project.params.write_text(text)
    choose(monkeypatch, made)
    with pytest.raises(TandemError) as caught:
        promote(project, "x", anyway=True)
    assert str(caught.value).startswith(expected[case])
    assert project.params.read_text() == text


@pytest.mark.parametrize("case", ["own", "second", "missing", "seeds"])
def test_a_winner_without_proof_is_promoted_only_if_told_so(
    project: Project, params: Params, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    made = confirmation(params, "cnn3-sgd")
    winner, own, third = made.candidates
    doubts = {
        "own": "not told apart from trial 0 (the recipe's own settings): the interval contains 0",
        "second": "not told apart from trial 1: the interval contains 0",
        "missing": "the recipe's own settings are missing, or failed with a seed",
        "seeds": "not told apart from trial 0 (the recipe's own settings): 2 seeds are too few for a verdict",
    }
    made = {
        "own": _with_values(made, [own, third], 0.5, 0.7, 0.1),
        "second": _with_values(made, [replace(third, values={2: 0.2, 3: 0.1, 4: 0.11}), own], 0.10, 0.12, 0.1),
        "missing": replace(made, candidates=[winner, third]),
        "seeds": replace(
            made,
            seeds=[2, 3],
            candidates=[
                replace(each, values={seed: each.values[seed] for seed in (2, 3)}) for each in (winner, own, third)
            ],
        ),
    }[case]
    choose(monkeypatch, made)
    with pytest.raises(TandemError) as caught:
        promote(project, "x")
    assert str(caught.value).startswith("NAME: expected a winner that is told apart from the recipe's own settings")
    assert doubts[case] in str(caught.value)
    assert str(caught.value).endswith("confirm with more --seeds, or promote it --anyway")
    assert project.params.read_text() == TEXT
    promote(project, "x", anyway=True)
    assert "cnn3-sgd-tuned" in parse_params(project.params.read_text()).recipes
