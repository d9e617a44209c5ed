"""A project that was moved or copied: MLflow's database has the absolute paths of all artifacts."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from experiments.settings.project import Project
from experiments.system.console import say

# Where MLflow 3.17 keeps them. What lies elsewhere, in S3 for example, has another beginning.
PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
# How long others may hold the database.
SECONDS = 60


def mend_paths(project: Project, file: Path, experiment: str) -> None:
    """Let the paths in the project's own database lead to where the project is now; say so if any did not.

    The location of the experiment of that name tells where the project was. One process calls this at a time.
    """
    with closing(sqlite3.connect(file, timeout=SECONDS)) as connection:
        found = connection.execute("SELECT artifact_location FROM experiments WHERE name = ?", [experiment]).fetchone()
        old = found[0] if found else project.artifacts
        if old == project.artifacts or not _is_project_s(old) or _is_here(old, file):
            return
        with connection:  # a transaction
            count = sum(_mend(connection, *place, old, project.artifacts) for place in PATHS)
    say(f"mlruns/ was in {_folder(old).parents[1]}: {count} paths in MLflow's database name {project.home} now")


def _mend(connection: sqlite3.Connection, table: str, column: str, old: str, new: str) -> int:
    return connection.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?)"  # noqa: S608 - names from PATHS
        f" WHERE {column} = ? OR substr({column}, 1, ?) = ?",
        [new, len(old) + 1, old, len(old) + 1, f"{old}/"],
    ).rowcount


def _folder(location: str) -> Path:
    return Path(url2pathname(urlsplit(location).path))


def _is_project_s(location: str) -> bool:
    return location.startswith("file://") and location.endswith("/mlruns/artifacts")


def _is_here(location: str, file: Path) -> bool:
    """Return whether the old place is this one by another name: a folder may be mounted at two places."""
    with suppress(OSError):
        return (_folder(location).parent / file.name).samefile(file)
    return False
