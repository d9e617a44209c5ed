"""Folders and stores that commands write to."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiments.doctor.surroundings import Surroundings
from experiments.system.checks import Check


def folders(here: Surroundings) -> Iterator[Check]:
    """Look whether every folder that is written can be: a nameless file is made there, which leaves nothing."""
    project = here.project
    written = [project.mlruns, project.runs, project.reports, project.spool.parent, Path(tempfile.gettempdir())]
    refused = [*filter(None, map(_refusal, written)), *_closed(project.mlruns)]
    yield from refused
    if not refused:
        yield Check("folders", "ok", f"{', '.join(folder.name for folder in written)} can be written")


def _refusal(folder: Path) -> Check | None:
    what, file = f"folder {folder.name}", folder
    try:
        file = next(path for path in (folder, *folder.parents) if path.exists())
        with tempfile.TemporaryFile(dir=file):
            pass
    except OSError as error:
        return Check(what, "problem", f"{file}: {error.strerror}", "make it yours to write, or move the project")
    return None


def _closed(folder: Path) -> Iterator[Check]:
    """Yield the databases in a folder that can't be written."""
    for file in folder.glob("*.db"):
        try:
            file.open("r+b").close()
        except OSError as error:
            yield Check(file.name, "problem", f"{file}: {error.strerror}", "make it yours to write")


def runs(here: Surroundings) -> Iterator[Check]:
    """Look whether MLflow's store is where it can be, and answers."""
    from experiments.tracking.store import check_store  # MLflow takes two seconds

    yield check_store(here.project)


def studies(here: Surroundings) -> Iterator[Check]:
    """Look whether the database of studies is where it can be, and answers."""
    from experiments.sweep.storage import check_database  # Optuna, too

    yield check_database(here.project)


def spool(here: Surroundings) -> Iterator[Check]:
    """Look whether metrics wait that MLflow's store did not take."""
    waiting = len(list(here.project.spool.glob("*.jsonl")))
    yield Check.of(
        "metrics that wait",
        f"{waiting} run(s) with metrics that MLflow's store did not take",
        good=not waiting,
        remedy="`tandem runs` delivers them once the store answers",
        otherwise="warning",
    )
