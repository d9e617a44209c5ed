"""The confirmed winner becomes a recipe in params.yaml (`tandem sweep promote`)."""

import copy
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from experiments.reports.intervals import interval
from experiments.settings.params import Params, parse_params
from experiments.settings.project import Project
from experiments.sweep.confirm import last_confirmation
from experiments.sweep.confirmation import Confirmation
from experiments.sweep.storage import connect
from experiments.system.errors import TandemError
from experiments.system.files import write_atomically

SUFFIX = "-tuned"


@dataclass(frozen=True)
class Promotion:
    """A recipe that was written, and how params.yaml changed, as a unified diff."""

    recipe: str
    diff: str


def promote(project: Project, params: Params, name: str) -> Promotion:
    """Write the winner of a study's confirmation to params.yaml, and let `dvc repro` train it beside the original.

    Raises:
        TandemError: there is no such study, it is not confirmed, the recipe's own settings have won, the recipe has
            changed since, or a recipe of the new name was written by hand.
    """
    found = last_confirmation(connect(project), name)
    if found is None:
        raise TandemError(
            f"NAME: expected a study that is confirmed; got {name!r}; "
            f"run `tandem sweep confirm {name}` to its end first"
        )
    _check(params, found)
    before = project.params.read_text()
    after = write_recipe(before, found)
    parse_params(after)
    write_atomically(project.params, after)
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), "params.yaml", "params.yaml", lineterm="", n=1)
    return Promotion(found.plan.recipe_name + SUFFIX, "\n".join(diff))


def _check(params: Params, found: Confirmation) -> None:
    plan, winner = found.plan, found.winner
    if len(winner.values) < len(found.seeds):
        raise TandemError(
            f"NAME: expected a winner with all of its seeds; got trial {winner.trial}, which failed; sweep on"
        )
    if winner.own:
        raise TandemError(
            f"NAME: expected a winner other than the recipe's own settings; got those: nothing in {plan.name!r} "
            f"does better with fresh seeds; sweep on, or leave recipes.{plan.recipe_name} as it is"
        )
    now = params.recipe(plan.recipe_name).model_dump()
    for key, value in plan.recipe.items():
        # A sweep has its own epochs, and holds the validation images out.
        if key not in ("epochs", "train_on", "test_every_epoch") and now[key] != value:
            raise TandemError(
                f"params.yaml: recipes.{plan.recipe_name}.{key}: expected {value}, as when the sweep began; "
                f"got {now[key]}; take that back, or sweep again under another --name"
            )
    tuned = params.recipes.get(plan.recipe_name + SUFFIX)
    if tuned is not None and tuned.origin is None:
        raise TandemError(
            f"params.yaml: recipes.{plan.recipe_name}{SUFFIX}: expected none, or one that a promotion wrote (with "
            "`origin`); got one written by hand; rename it"
        )


def write_recipe(text: str, found: Confirmation) -> str:
    """Return params.yaml with the winner as a recipe after the original, comments and order kept."""
    yaml = round_trip()
    content = yaml.load(text)
    plan, recipes = found.plan, content["recipes"]
    name = plan.recipe_name + SUFFIX
    recipe = copy.deepcopy(recipes[plan.recipe_name])
    recipe.ca.comment = None
    for setting, value in found.winner.settings.items():
        recipe[setting] = float(value)
    recipe.insert(1, "origin", f"study {plan.name}, trial {found.winner.trial}", comment=_comment(found))
    _put_after(recipes, plan.recipe_name, name, recipe)
    _add(content["train"]["recipes"], [plan.recipe_name, name])
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue().rstrip("\n") + "\n"


def round_trip() -> YAML:
    """Return a reader and writer of YAML that leaves everything as it finds it."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda representer, value: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _comment(found: Confirmation) -> str:
    spread = interval(list(found.winner.values.values()))
    seeds = f"{found.seeds[0]} to {found.seeds[-1]}"
    return f"{found.plan.objective} {spread.mean:.4f} ± {spread.half:.4f} after {found.epochs} epoch(s), seeds {seeds}"


def _put_after(recipes: CommentedMap, original: str, name: str, recipe: Mapping[str, Any]) -> None:
    if name in recipes:
        recipes[name] = recipe
        return
    last = list(recipes)[-1] == original
    recipes.insert(list(recipes).index(original) + 1, name, recipe)
    if last:  # an empty line belongs to what is before it, and there is none at the end of the file
        recipes.yaml_set_comment_before_after_key(name, before="\n")


def _add(listed: CommentedSeq, names: Sequence[str]) -> None:
    for name in names:
        if name not in listed:
            listed.append(name)
