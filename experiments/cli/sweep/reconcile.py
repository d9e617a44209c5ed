"""`tandem sweep reconcile`: whether trials, MLflow runs and processes agree."""

from typing import Annotated

import typer

from experiments.cli.sweep.options import StudiesArgument
from experiments.settings.project import Project


def reconcile(
    name: StudiesArgument = None,
    apply: Annotated[bool, typer.Option("--apply", help="Repair what can be repaired.")] = False,
) -> None:
    """Compare trials, MLflow runs and processes; list what disagrees. Exit code 1 if anything is left that does."""
    from experiments.sweep.reconcile import reconcile

    disagreements = reconcile(Project.find(), name, apply=apply)
    for row in disagreements:
        print(f"{row.study}: {row.what}; {'done' if apply and row.repair else 'to do'}: {row.remedy}")
    left = [row for row in disagreements if not (apply and row.repair)]
    if not disagreements:
        print("Trials, MLflow runs and processes agree.")
    elif any(row.repair for row in left) and not apply:
        print("Next: `tandem sweep reconcile --apply` repairs this.")
    raise typer.Exit(1 if left else 0)
