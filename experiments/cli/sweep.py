"""The `tandem sweep` commands: parse, call one function, say where the results are."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.common import load_checked, print_table
from experiments.settings.project import Project

if TYPE_CHECKING:
    from experiments.sweep.plan import Backends

app = typer.Typer(
    help="Tune lr, dropout and momentum of a recipe with Optuna, on validation images alone.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

NameArgument = Annotated[str, typer.Argument(help="A study; `tandem sweep status` lists them.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(help="Processes at the same time; they share the cores, or the GPUs. By default 1, for pairs 2."),
]


def backends_asked(name: str) -> "Backends":
    """Return the name as one of the backends, or `both`.

    Raises:
        TandemError: it is neither.
    """
    from experiments.frameworks import PACKAGES
    from experiments.system.errors import TandemError

    if name == "both":
        return "both"
    for known in PACKAGES:
        if name == known:
            return known
    raise TandemError(f"--backend: expected one of {', '.join(PACKAGES)}, both; got {name!r}")


@app.command()
def run(
    recipe: Annotated[str, typer.Option(help="A name under `recipes` in params.yaml.")],
    backend: Annotated[str, typer.Option(help="`lightning`, `keras`, or `both`: every point as a pair.")] = "lightning",
    trials: Annotated[int | None, typer.Option(help="Finished trials in all; by default `sweep.trials`.")] = None,
    workers: WorkersOption = None,
    name: Annotated[str | None, typer.Option(help="The study; by default RECIPE-BACKEND.")] = None,
) -> None:
    """Start a study, or go on with it; Ctrl-C stops it cleanly, and the same command goes on."""
    from experiments.sweep.plan import read_plan
    from experiments.sweep.ranking import summary
    from experiments.sweep.run import SweepRequest, run_sweep
    from experiments.sweep.storage import shown_url

    project = Project.find()
    params = load_checked(project)
    study = run_sweep(project, params, SweepRequest(recipe, backends_asked(backend), trials, workers, name))
    print(summary(study, read_plan(study)))
    print(f"Trials: {shown_url(project)}; runs: `tandem ui`")
    print(f"Next: `tandem sweep report {study.study_name}`, then `tandem sweep confirm {study.study_name}`.")


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="A study; by default, all of them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show how far studies are: finished, running and waiting trials, the best so far, the time left."""
    import optuna

    from experiments.sweep.plan import read_plan
    from experiments.sweep.status import status_of
    from experiments.sweep.storage import connect
    from experiments.sweep.study import is_ours, load_study

    storage = connect(Project.find())
    names = [name] if name else [one for one in optuna.study.get_all_study_names(storage) if is_ours(storage, one)]
    found = [status_of(study, read_plan(study)) for study in (load_study(storage, one) for one in names)]
    if as_json:
        print(json.dumps([asdict(one) | {"seconds_left": one.seconds_left} for one in found], indent=2))
        return
    if not found:
        print("No study yet. Next: `tandem sweep run --recipe cnn3-sgd`.")
        return
    from experiments.sweep.status import to_table

    print_table(to_table(found))
    for one in found:
        if one.last_failure:
            print(f"{one.name}: the last trial that failed: {one.last_failure}")
    print("Next: `tandem sweep run` goes on with a study that has trials waiting.")


@app.command()
def report(name: NameArgument) -> None:
    """Draw a study: history, importances, parallel coordinates, contour, intermediate values; for pairs, a scatter.

    Into reports/sweeps/NAME/, and into the study's run in MLflow.
    """
    from experiments.sweep.report import report

    project = Project.find()
    text, files = report(project, name)
    print(text)
    for path in files:
        print(path.relative_to(project.root))


@app.command()
def confirm(
    name: NameArgument,
    top: Annotated[int, typer.Option(help="How many of the best trials; the recipe's own settings come on top.")] = 3,
    seeds: Annotated[int, typer.Option(help="How many fresh seeds.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(help="Of each training; by default those of the sweep's trials.")
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Train the best trials again with fresh seeds: which is really ahead?

    On the same validation images. What is ahead after a few epochs need not be ahead in the end: --epochs asks for
    longer trainings than the trials'. A repeat goes on where it was stopped.
    """
    from experiments.sweep.confirm import confirm
    from experiments.sweep.confirm_report import to_markdown

    project = Project.find()
    found = confirm(project, load_checked(project), name, top=top, seeds=seeds, epochs=epochs, workers=workers)
    print(to_markdown(found))
    print(f"{project.sweep_report(name).relative_to(project.root)}/confirm.md, .json, .png")
    if found.winner.own:
        print("Next: the recipe's own settings are ahead: `tandem sweep run` with more --trials, or leave them.")
    else:
        print(f"Next: `tandem sweep promote {name}` makes the winner a recipe.")


@app.command()
def promote(name: NameArgument) -> None:
    """Make the confirmed winner a recipe, RECIPE-tuned in params.yaml, which `dvc repro` trains beside the original."""
    from experiments.sweep.promote import promote

    project = Project.find()
    done = promote(project, load_checked(project), name)
    print(done.diff)
    print(f"params.yaml: recipe {done.recipe}, and both in train.recipes")
    print("Next: `dvc repro` trains it in full, and sets it beside the original.")


@app.command()
def reconcile(
    name: Annotated[str | None, typer.Argument(help="A study; by default, all of them.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Repair what can be repaired.")] = False,
) -> None:
    """Compare trials, MLflow runs and processes; list what disagrees. Exit code 1 if anything is left that does."""
    from experiments.sweep.reconcile import reconcile

    found = reconcile(Project.find(), name, apply=apply)
    for one in found:
        print(f"{one.study}: {one.what}; {'done' if apply and one.repair else 'to do'}: {one.remedy}")
    left = [one for one in found if not (apply and one.repair)]
    if not found:
        print("Trials, MLflow runs and processes agree.")
    elif any(one.repair for one in left) and not apply:
        print("Next: `tandem sweep reconcile --apply` repairs this.")
    raise typer.Exit(1 if left else 0)


@app.command(hidden=True)
def worker(name: str, backend: str, threads: int = 1, number: int = 0) -> None:
    """Take trials of a study until none waits; `tandem sweep run` starts as many of these as it is asked for."""
    from experiments.frameworks import backend_name
    from experiments.sweep.worker import work

    project = Project.find()
    device = load_checked(project).train.device
    work(project, name, backend_name(backend), device=device, threads=threads, number=number)
