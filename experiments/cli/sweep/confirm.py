"""`tandem sweep confirm` and `promote`: from the best trials to a recipe."""

from typing import Annotated

import typer

from experiments.cli.common import load_project
from experiments.cli.options import grouped
from experiments.cli.output import JsonOption, show
from experiments.cli.sweep.options import NameArgument, PlaceOptions
from experiments.settings.project import Project


@grouped
def confirm(
    name: NameArgument,
    top: Annotated[int, typer.Option(help="How many of the best trials; the recipe's own settings are added.")] = 3,
    seeds: Annotated[int, typer.Option(help="How many fresh seeds; a verdict needs 3.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(help="Of each training; by default as many as the sweep's trials have.")
    ] = None,
    *,
    place: PlaceOptions,
    as_json: JsonOption = False,
) -> None:
    """Train the best trials again with fresh seeds: which is really ahead?

    On the same validation images. The best after a few epochs need not be the best in the end: --epochs asks for
    longer trainings than the trials'. A repeat resumes; another --top, --seeds or --epochs is another confirmation.
    """
    from experiments.reports.page.write import refresh_page
    from experiments.sweep.confirm import ConfirmRequest, confirm
    from experiments.sweep.confirm_report import report_path, to_markdown
    from experiments.system.files import read_json

    project, params = load_project()
    asked = ConfirmRequest(name, top, seeds, epochs)
    confirmation = confirm(project, params, asked, place.read())
    refresh_page(project, params)
    file = report_path(project, confirmation)
    if confirmation.winner.own:
        hint = "Next: `tandem sweep run` with more --trials, or leave the recipe as it is."
    elif confirmation.doubts():
        hint = "Next: `tandem sweep confirm` with more --seeds, or `tandem sweep run` with more --trials."
    else:
        hint = f"Next: `tandem sweep promote {name}` makes the winner a recipe."
    files = f"{file.relative_to(project.root)}, .json, .png"
    show(read_json(file.with_suffix(".json")), to_markdown(confirmation), files, hint, as_json=as_json)


def promote(
    name: NameArgument,
    confirmation: Annotated[
        str | None,
        typer.Option(help="As its report is called, without `confirm-`; by default the newest complete one."),
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although the winner isn't proven to be ahead.")] = False,
    keep_split: Annotated[
        bool, typer.Option("--keep-split", help="Keep the original's `train_on` and `test_every_epoch`.")
    ] = False,
) -> None:
    """Make the confirmed winner a recipe, RECIPE-tuned in params.yaml, which `dvc repro` trains beside the original.

    It trains on what the sweep's trials did, the training split, so that the validation images can judge it.
    """
    from experiments.sweep.promote import SUFFIX, promote

    promoted, diff = promote(Project.find(), name, confirmation, anyway=anyway, keep_split=keep_split)
    print(diff)
    print(f"Confirmation {promoted.label}: {promoted.winner} wins")
    for doubt in promoted.doubts():
        print(f"Not proven: {doubt}")
    print(f"params.yaml: recipe {promoted.plan.recipe_name}{SUFFIX}, and both in train.recipes")
    print("Next: `dvc repro` trains it in full, and compares it with the original.")
