"""What the commands share."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from experiments.settings.project import Project
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    from rich.table import Table

    from experiments.settings.engines import EngineName
    from experiments.settings.params import Params
    from experiments.sweep.plan import Backends

BackendOption = Annotated[str, typer.Option(help="`lightning`, `keras`, or `both`: every point as a pair.")]
OnOption = Annotated[str, typer.Option(help="`local`, `slurm` (also `pbs`, `lsf`, `sge`: untried), or `inline`.")]


def load_project() -> tuple[Project, "Params"]:
    """Return the project around the working directory and its settings, checked as a whole."""
    from experiments.frameworks import check_architectures
    from experiments.settings.params import load_params

    project = Project.find()
    params = load_params(project.params)
    check_architectures(params)
    return project, params


def engine_name(on: str) -> "EngineName":
    """Return the engine of that name.

    Raises:
        TandemError: there is none.
    """
    from experiments.settings.engines import EngineName

    return cast(EngineName, _one_of("--on", on, get_args(EngineName)))


def backends_name(backend: str) -> "Backends":
    """Return the backends of that name.

    Raises:
        TandemError: there are none.
    """
    from experiments.sweep.plan import Backends

    return cast(Backends, _one_of("--backend", backend, get_args(Backends)))


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise TandemError(f"{option}: expected one of {', '.join(known)}; got {value!r}")
    return value


def print_table(table: "Table") -> None:
    """Print a table as wide as the terminal."""
    from rich.console import Console

    # Without a terminal, rich would cut the table to 80 columns.
    Console(width=None if sys.stdout.isatty() else 160).print(table)
