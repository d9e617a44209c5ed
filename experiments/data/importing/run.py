"""`tandem import`: everything is checked, then data/ is replaced as a whole, and data.dvc made the user's own."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from experiments.data import recorded
from experiments.data.fitting import check_name
from experiments.data.holding_out import check_split
from experiments.data.importing.folders import read_folders
from experiments.data.importing.found import Found, part_of
from experiments.data.importing.npz import read_npz
from experiments.data.importing.write import check_room, write_found
from experiments.data.raw import CLASSES_FILE, NAME_FILE, RawDataset, read_raw
from experiments.settings.params import Preprocess
from experiments.settings.project import Project
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.files import replace_folder, write_atomically
from experiments.system.git import run_git

EXPECTED = "expected a folder of PNG or JPEG files by class, a folder with four IDX files, or an .npz"


@dataclass(frozen=True)
class Wanted:
    """What the user asks for: the name (by default the source's), the size, and how many images are to be test images.

    `size` is the height and the width that pictures are resized to; `force` replaces data that is nowhere else.
    """

    name: str | None = None
    size: int | None = None
    test_fraction: float = 0.2
    force: bool = False


def import_data(project: Project, source: Path, wanted: Wanted, split: Preprocess) -> RawDataset:
    """Fill data/ from a source, add it to DVC as the user's own, and return what is there now.

    Until all of the source is read and checked, data/ and data.dvc stay as they are. The images of the test set are
    drawn with the seed in `split`, where the source has none.

    Raises:
        TandemError: something isn't supported or doesn't fit, or data/ has files that are nowhere else.
    """
    name = check_name("--name", _default_name(source) if wanted.name is None else wanted.name)
    _check_places(project, source)
    if not wanted.force:
        check_replaceable(project)
    found = _read(source, wanted.size)
    check_room(project.root, found)
    with replace_folder(project.data) as folder:
        write_found(folder, found, test_fraction=wanted.test_fraction, seed=split.seed)
        write_atomically(folder / NAME_FILE, f"{name}\n")
        if found.class_names is not None:
            write_atomically(folder / CLASSES_FILE, "".join(f"{each}\n" for each in found.class_names))
        raw = read_raw(folder, source)
        where = f"{source}: preprocess.validation_fraction"
        check_split(raw.train.labels, fraction=split.validation_fraction, option=where)
    _add_to_dvc(project)
    return read_raw(project.data)


def _default_name(source: Path) -> str:
    return re.sub(r"[^\w.-]+", "-", source.resolve().name.removesuffix(".npz"))


def _check_places(project: Project, source: Path) -> None:
    if not (project.root / ".dvc").is_dir():
        raise TandemError(f"{project.root}: expected a DVC repository; got none; run this in a clone, or `dvc init`")
    if source.resolve().is_relative_to(project.data.resolve()):
        raise TandemError(f"{source}: expected a source elsewhere; got one in data/, which is replaced; move it first")


def check_replaceable(project: Project) -> None:
    """Refuse to replace files in data/ that are nowhere else: neither in downloads/ nor on record with Git and DVC.

    Raises:
        TandemError: data/ has some.
    """
    if not (project.data.is_dir() and any(project.data.iterdir())):
        return
    if recorded.imports_downloads(project):
        try:
            recorded.check_nothing_is_lost(project)
        except TandemError as error:
            raise TandemError(error.problem, advice="`--force` drops them") from None
        return
    committed, text, _ = run_git(project.root, "show", f"HEAD:./{project.data_file.name}")
    if not (committed and project.data_file.is_file() and text == project.data_file.read_text()):
        raise TandemError(
            f"{project.data}: expected data that a commit names; got data of yours without one; `dvc add data` and "
            "commit data.dvc, or drop it with `--force`"
        )
    if recorded.digest_of(project.data) != recorded.recorded_digest(project):
        raise TandemError(
            f"{project.data}: expected what data.dvc records; got files that have changed since; `dvc add data` and "
            "commit data.dvc, or drop them with `--force`"
        )


def _read(source: Path, size: int | None) -> Found:
    """Return what a source has, after a look at all that can be known before its pixels are read."""
    if source.is_dir() and not _has_arrays(source):
        return read_folders(source, size)
    if not source.exists():
        raise TandemError(f"{source}: {EXPECTED}; got nothing of that name")
    if size is not None:
        raise TandemError(f"--size: expected PNG or JPEG files to resize; got {source}; leave it out")
    if source.is_dir():
        raw = read_raw(source)
        return Found(part_of(raw.train), part_of(raw.test), raw.class_names)
    if source.suffix.lower() != ".npz":
        raise TandemError(f"{source}: {EXPECTED}; got another file; unpack an archive first")
    return read_npz(source)


def _has_arrays(source: Path) -> bool:
    return any(path for pattern in ("*-idx?-ubyte*", "*_images.npy") for path in source.glob(pattern))


def _add_to_dvc(project: Project) -> None:
    """Have data.dvc record data/ as the user's own: with the import in it, `dvc add` would leave that as it is."""
    say("adding data/ to DVC")
    before = project.data_file.read_bytes() if project.data_file.is_file() else None
    project.data_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "dvc", "add", "--quiet", project.data.name]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode:
        if before is not None:
            write_atomically(project.data_file, before)
        what = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise TandemError(
            f"{project.data}: filled, but `dvc add data` failed: {what}; remove that, then run `rm -f data.dvc` and "
            "`dvc add data`"
        )
