"""`tandem sweep check`: what a sweep needs, tried out before it starts."""

from typing import Annotated

import typer

from experiments.cli.common import BackendOption, OnOption, backends_name, load_project
from experiments.cli.output import JsonOption, show_checks
from experiments.cli.sweep.options import PlaceOptions, RecipeOption, WorkersOption


def check(
    recipe: RecipeOption = "lenet",
    backend: BackendOption = "both",
    on: OnOption = "local",
    workers: WorkersOption = None,
    patience: Annotated[float, typer.Option(help="Seconds that a worker may take to connect.")] = 300,
    as_json: JsonOption = False,
) -> None:
    """Try out, from a real worker, what a sweep needs there. Exit code 1 if anything is missing.

    Shared folder, data, code and versions, both frameworks and their device, disk, and how long a sweep would take.
    """
    from experiments.sweep.preflight import Preflight
    from experiments.sweep.run import SweepRequest, plan_sweep

    project, params = load_project()
    plan, _ = plan_sweep(project, params, SweepRequest(recipe, backends_name(backend), name=f"check-{on}"))
    rows = list(Preflight(project, params, plan, PlaceOptions(on, workers).read(), patience).run())
    bad = sum(row.state == "problem" for row in rows)
    command = f"tandem sweep run --recipe {recipe} --backend {backend} --on {on}"
    hint = f"Next: `{command}`." if not bad else f"{bad} to fix, then repeat."
    show_checks(rows, hint, as_json=as_json)
    raise typer.Exit(1 if bad else 0)
