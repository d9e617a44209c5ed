"""What the commands share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from experiments.cli import complete
from experiments.settings.project import Project
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    from experiments.settings.engines import EngineName
    from experiments.settings.params import Params
    from experiments.settings.recipe import Option
    from experiments.sweep.plan import Backends

RunArgument = Annotated[
    str,
    typer.Argument(
        help="A folder (runs/lenet/keras/12), its label (lenet-keras-12), or MLflow's id or name.",
        autocompletion=complete.runs,
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(help="`lightning`, `keras`, or `both`: every point as a pair.", autocompletion=complete.backends),
]
OnOption = Annotated[
    str,
    typer.Option(
        help="`local`, `slurm` (also `pbs`, `lsf`, `sge`: untried), or `inline`.", autocompletion=complete.engines
    ),
]


def out_folder(text: str) -> Path:
    """Return the folder that --out names.

    Raises:
        TandemError: the name is empty, as a variable of the shell is that isn't set; it would be the working directory.
    """
    if not text:
        raise TandemError("--out: expected a folder; got an empty name; name one, or leave it out")
    return Path(text)


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


def parse_options(words: Sequence[str]) -> dict[str, "Option"]:
    """Return NAME=VALUE as the options of an architecture: a number, `true`, `false`, or a text.

    Raises:
        TandemError: there is no `=` in a word.
    """
    options: dict[str, Option] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not name or not sign:
            raise TandemError(f"--option: expected NAME=VALUE, such as filters=16; got {word!r}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        options[name] = value if isinstance(value, bool | int | float | str) else text
    return options
