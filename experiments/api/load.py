"""`tandem.load`: a run by its recipe, backend and seed, or by a name."""

import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from experiments.api.run import Run
from experiments.settings.project import Project
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    from experiments.reports.measured import Measured

Place = str | os.PathLike[str]


def load(name: str, backend: str | None = None, seed: int | None = None, *, project: Place | None = None) -> Run:
    """Return a run that has ended.

    Either three words, as in `load("lenet", "lightning", 12)`: the outputs in `runs/`, else those by hand, else
    those of `tandem published`, else what MLflow alone has. Or one, as `tandem compare` takes it: a folder, a
    label (`lenet-keras-12`), an MLflow run's id or name, or `STUDY/TRIAL`.

    `project` is a folder of the checkout; by default, the working directory or one above it.

    Raises:
        TandemError: there is no such run or project, or more than one run has the name.
    """
    store = _imported_store()
    if (backend is None) != (seed is None):
        expected = "expected a recipe, a backend and a seed, or one name"
        raise TandemError(f"load: {expected}; got {', '.join(repr(w) for w in (name, backend, seed) if w is not None)}")
    around = find_project(project)
    with store.opened_briefly():
        if backend is None or seed is None:
            from experiments.reports.named import find

            return Run(around, find(around, name, "load"))
        return Run(around, _by_key(around, name, backend, seed))


def _imported_store() -> ModuleType:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # MLflow's progress bars, in a notebook
        from experiments.tracking import store

    return store


def find_project(folder: Place | None) -> Project:
    """Return the project around a folder, by default the working directory.

    Raises:
        TandemError: there is none.
    """
    return Project.find(None if folder is None else Path(folder))


def _by_key(project: Project, recipe: str, backend: str, seed: int) -> "Measured":
    from experiments.frameworks import backend_name
    from experiments.reports.measured import from_folder
    from experiments.reports.named import find, places
    from experiments.settings.project import RunKey
    from experiments.training.outputs import RECORD

    key = RunKey(recipe, backend_name(backend, asked_by="load: backend"), seed)
    for place in places(project):
        if (place.run(key) / RECORD).is_file():
            return from_folder(place.run(key), str(place.run(key).relative_to(project.root)))
    return find(project, key.label, "load")
