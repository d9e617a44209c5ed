"""What DVC records of data/: whether that is the user's own, and whether an import would lose files."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dvc.repo import Repo
from dvc_data.hashfile.build import build
from dvc_data.hashfile.db import HashFileDB
from dvc_objects.fs.local import LocalFileSystem

from experiments.settings.project import Project
from experiments.system.errors import TandemError

# The digest under `deps` or `outs` in a .dvc file.
DIGEST = r"^{}:\n(?:[ -].*\n)*?.*\bmd5: (\w+\.dir)"
# What DVC calls a file that it hasn't copied to its end.
PARTIAL = re.compile(r"\.[\w-]+\.tmp")
KEEP = "to keep data/ as your data: `rm data.dvc`, then `dvc add data`; to drop it: `rm -r data`"
CHUNK = 2**20


def imports_downloads(project: Project) -> bool:
    """Return whether data.dvc fills data/ from downloads/; it doesn't where the data is the user's own."""
    file = project.data_file
    return file.is_file() and bool(re.search(rf"path: {project.downloads.name}$", file.read_text(), re.MULTILINE))


def recorded_digest(project: Project, of: str = "outs") -> str | None:
    """Return the digest of data/ that data.dvc records, or with `deps`, of what it was imported from."""
    found = re.search(DIGEST.format(of), project.data_file.read_text(), re.MULTILINE)
    return found[1] if found else None


def digest_of(path: Path) -> str:
    """Return the digest of a folder or a file as DVC records it; its cache is left alone."""
    files = LocalFileSystem()
    _, _, built = build(HashFileDB(files, os.devnull), str(path), files, "md5", dry_run=True)
    return str(built.hash_info.value)


def check_nothing_is_lost(project: Project) -> None:
    """Refuse if data.dvc is about to replace files in data/ that are neither in downloads/ nor in DVC's cache.

    Takes a fraction of a second where data/ is as in downloads/, and reads no more of a large one than it must.

    Raises:
        TandemError: it is.
    """
    if not (imports_downloads(project) and project.data.exists()):
        return
    imported, recorded = recorded_digest(project, "deps"), recorded_digest(project)
    if imported != recorded:  # `dvc add data` leaves the import as it is
        raise TandemError(
            f"{project.data}: `dvc repro` would replace its files sooner or later, since data.dvc still imports "
            "downloads/ after `dvc add data`",
            advice=KEEP,
        )
    if file := next(_only_here(project, recorded), None):
        raise TandemError(
            f"{file}: `dvc repro` would delete it, and it is nowhere else: data.dvc imports downloads/ into data/",
            advice=KEEP,
        )


def _only_here(project: Project, recorded: str | None) -> Iterator[Path]:
    """Yield the files in data/ that an import would lose."""
    folder = project.data
    files = sorted(path for path in folder.rglob("*") if not path.is_dir()) if folder.is_dir() else [folder]
    unknown = [
        path
        for path in files
        if not PARTIAL.fullmatch(path.name) and not _begins(project.downloads / path.relative_to(folder), path)
    ]
    yield from (path for path in unknown if not path.is_file())  # a link to nowhere, which DVC can't read
    if not unknown or digest_of(folder) == recorded:
        return
    with Repo(str(project.root)) as repository:
        cached = repository.cache.local.exists
        yield from (path for path in unknown if not cached(digest_of(path)))


def _begins(whole: Path, part: Path) -> bool:
    """Return whether a file is another one, or as much of it as an import had copied when it was stopped."""
    if not (whole.is_file() and part.is_file()) or part.stat().st_size > whole.stat().st_size:
        return False
    with whole.open("rb") as expected, part.open("rb") as found:
        while chunk := found.read(CHUNK):
            if chunk != expected.read(len(chunk)):
                return False
    return True
