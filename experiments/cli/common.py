"""What the commands share."""

import sys
from typing import TYPE_CHECKING

from experiments.settings.project import Project

if TYPE_CHECKING:
    from rich.table import Table

    from experiments.settings.params import Params


def load_project() -> tuple[Project, "Params"]:
    """Return the project around the working directory and its settings, checked as a whole."""
    from experiments.frameworks import check_architectures
    from experiments.settings.params import load_params

    project = Project.find()
    params = load_params(project.params)
    check_architectures(params)
    return project, params


def print_table(table: "Table") -> None:
    """Print a table as wide as the terminal."""
    from rich.console import Console

    # Without a terminal, rich would cut the table to 80 columns.
    Console(width=None if sys.stdout.isatty() else 160).print(table)
