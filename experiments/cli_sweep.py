"""The `tandem sweep` commands: parse, call one function, say where the results are."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from experiments.project import Project

app = typer.Typer(
    help="Tune lr, dropout and momentum of a recipe with Optuna, on validation images alone.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command()
def run(
    recipe: Annotated[str, typer.Option(help="A name under `recipes` in params.yaml.")],
    backend: Annotated[str, typer.Option(help="`lightning` or `keras`.")] = "lightning",
    trials: Annotated[int | None, typer.Option(help="Finished trials in all; by default `sweep.trials`.")] = None,
    workers: Annotated[int, typer.Option(help="Processes at the same time; they share the cores.")] = 1,
    name: Annotated[str | None, typer.Option(help="The study; by default RECIPE-BACKEND.")] = None,
) -> None:
    """Start a study, or go on with it; Ctrl-C stops it cleanly, and the same command goes on."""
    from experiments.backend import backend_name
    from experiments.cli import load_checked
    from experiments.sweep.launch import Asked, run_sweep
    from experiments.sweep.storage import storage_url

    project = Project.find()
    params = load_checked(project)
    asked = Asked(recipe, backend_name(backend, asked_by="--backend"), trials, workers, name)
    study = run_sweep(project, params, asked)
    best = study.best_trial
    settings = ", ".join(f"{key} {value:.4g}" for key, value in best.params.items())
    print(f"{study.study_name}: best trial {best.number}: {best.value:.4f} with {settings}")
    print(f"Trials: {storage_url(project)}; runs: `tandem ui`")
    print(f"Next: `tandem sweep status {study.study_name}`, or optuna-dashboard on the same address.")


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="A study; by default, all of them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show how far studies are: finished, running and waiting trials, the best so far, the time left."""
    import optuna
    from rich.table import Table

    from experiments.cli import print_table
    from experiments.sweep.status import status_of
    from experiments.sweep.storage import connect
    from experiments.sweep.study import load_study, read_plan

    storage = connect(Project.find())
    names = [name] if name else optuna.study.get_all_study_names(storage)
    found = [status_of(study, read_plan(study)) for study in (load_study(storage, one) for one in names)]
    if as_json:
        print(json.dumps([asdict(one) | {"seconds_left": one.seconds_left} for one in found], indent=2))
        return
    table = Table("study", "finished", "pruned", "failed", "running", "waiting", "best", "left")
    for one in found:
        best = f"{one.best['value']:.4f} (trial {one.best['trial']})" if one.best else ""
        left = f"{one.seconds_left:.0f} s" if one.seconds_left else ""
        running = f"{one.running}" + (f" ({one.orphaned} without a process)" if one.orphaned else "")
        counts = (one.finished, one.pruned, one.failed)
        table.add_row(one.name, *map(str, counts), running, str(one.waiting), best, left)
    print_table(table)
    print("Next: `tandem sweep run` goes on with a study that has trials waiting.")


@app.command(hidden=True)
def worker(name: str, backend: str, threads: int = 1, number: int = 0) -> None:
    """Take trials of a study until none waits; `tandem sweep run` starts as many of these as it is asked for."""
    from experiments.backend import backend_name
    from experiments.cli import load_checked
    from experiments.sweep.worker import work

    project = Project.find()
    device = load_checked(project).train.device
    work(project, name, backend_name(backend), device=device, threads=threads, number=number)
