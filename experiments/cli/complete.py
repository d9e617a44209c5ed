"""What the shell offers for a value when Tab is pressed: quickly, and silently where there is nothing to offer.

Nothing heavy is imported and no database is opened. A function here returns every value there is; typer leaves out
those that don't begin with what was typed.
"""

from collections.abc import Callable
from functools import wraps
from typing import get_args

from experiments.settings.project import Project


def _silent(known: Callable[[], list[str]]) -> Callable[[], list[str]]:
    @wraps(known)
    def complete() -> list[str]:
        try:
            return known()
        # Outside of a project, in one with broken settings: a message between a user and the prompt helps nobody.
        except Exception:
            return []

    return complete


@_silent
def recipes() -> list[str]:
    """The recipes in params.yaml."""
    from experiments.settings.params import load_params

    return list(load_params(Project.find().params).recipes)


@_silent
def architectures() -> list[str]:
    """The architectures that both frameworks have."""
    import models_tf
    import models_torch

    return [name for name in models_torch.ARCHITECTURES if name in models_tf.ARCHITECTURES]


@_silent
def layers() -> list[str]:
    """The layers of `tandem layers`."""
    from experiments.contract.examples import examples_of

    return list(examples_of("models_torch"))


@_silent
def operations() -> list[str]:
    """The operations of `tandem ops`, and their groups."""
    from experiments.operations.choose import names

    return names()


@_silent
def graph_questions() -> list[str]:
    """The questions of `tandem graphs`."""
    from experiments.graphs.notes import NOTES

    return list(NOTES)


def backend() -> list[str]:
    """The frameworks."""
    from experiments.settings.recipe import BackendName

    return list(get_args(BackendName))


def backends() -> list[str]:
    """The frameworks, and both of them."""
    return [*backend(), "both"]


def engines() -> list[str]:
    """Where trainings run."""
    from experiments.settings.engines import EngineName

    return list(get_args(EngineName))


@_silent
def studies() -> list[str]:
    """The studies that have left files; those of `tandem sweep check` are none."""
    project = Project.find()
    folders = [*project.sweep("x").parent.glob("*/"), *(project.reports / "sweeps").glob("*/")]
    return sorted({folder.name for folder in folders if not folder.name.startswith("check-")})


@_silent
def runs() -> list[str]:
    """The labels of the outputs in runs/, and their folders."""
    project = Project.find()
    folders = project.run_folders()
    return ["-".join(folder.parts[-3:]) for folder in folders] + [str(f.relative_to(project.root)) for f in folders]


@_silent
def formats() -> list[str]:
    """The formats of an export, and all of them."""
    from experiments.export.formats import ALL, FORMATS

    return [*FORMATS, ALL]


@_silent
def exports() -> list[str]:
    """The folders of exported models."""
    project = Project.find()
    return [str(folder.relative_to(project.root)) for folder in sorted(project.exported.glob("*/*/"))]


def models() -> list[str]:
    """The runs, and the folders of exported models."""
    return [*runs(), *exports()]
