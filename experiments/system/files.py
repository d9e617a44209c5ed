"""Files and folders that are written as a whole, and digests of arrays."""

import glob
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import numpy.typing as npt


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a kill at any moment leaves the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")  # two processes may write the same file
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        replace_durably(part, path)
    finally:
        part.unlink(missing_ok=True)


def check_room(path: Path, size: int) -> None:
    """Write a file of that many bytes, for others to overwrite: what they write has room on the disk.

    Raises:
        OSError: it has not.
    """
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)


def replace_durably(part: Path, path: Path) -> None:
    """Replace a file by another in the same folder, so that a power cut leaves one of the two, whole."""
    _sync(part)
    part.replace(path)
    _sync(path.parent)


@contextmanager
def new_database(file: Path) -> Iterator[Path]:
    """Yield another name in the same folder for an SQLite database that isn't there yet; it is renamed at the end.

    A kill leaves no database, never a part of one. The block closes what it opens, and one process calls this at a
    time: what a killed one left is deleted.
    """
    part = file.with_name(f".{file.name}.part")
    for left in file.parent.glob(f"{part.name}*"):  # its journal too
        left.unlink()
    yield part
    replace_durably(part, file)


@contextmanager
def scratch_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder for the time of the block, in `parent` (made if need be) or in the system's temporary folder.

    What a killed process left there, by its prefix, is deleted by the next call; that of a running one is locked. It
    has a file `lock`, and nothing else.

    Raises:
        OSError: it can't be made.
    """
    place = parent or Path(tempfile.gettempdir())
    made = [folder for folder in (place, *place.parents) if not folder.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{glob.escape(prefix)}*/"):
            # One that can't be locked is in use, or another user's.
            with suppress(filelock.Timeout, OSError), filelock.FileLock(left / "lock", timeout=0):
                shutil.rmtree(left)
        with ExitStack() as stack:
            yield _locked_folder(stack, prefix, place)
    finally:
        with suppress(OSError):  # from the first that something was put into
            for folder in made:
                folder.rmdir()


def _locked_folder(stack: ExitStack, prefix: str, place: Path) -> Path:
    while True:
        made = tempfile.TemporaryDirectory(dir=place, prefix=prefix, ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(made))
        # Before it is locked, and after, another process may take it for a leftover, and delete it.
        with suppress(FileNotFoundError, FileExistsError):
            stack.enter_context(filelock.FileLock(folder / "lock"))
            return folder


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder to fill, which replaces `target` when the block succeeds; all of it is on disk then.

    A kill or a power cut leaves the old folder, the new one, or none; never a part. What a killed process leaves
    beside `target` is deleted by the next call.
    """
    with scratch_folder(f".{target.name}-", target.parent) as temporary:
        folder = temporary / target.name
        folder.mkdir()
        yield folder
        sync_folder(folder)
        if target.exists():
            target.rename(temporary / "old")
        folder.rename(target)
        _sync(target.parent)


def sync_folder(folder: Path) -> None:
    """Force the files in a folder to disk, then the folders that name them, from the bottom up."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync(Path(parent, name))
        _sync(Path(parent))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented JSON, atomically."""
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256, in hexadecimal, of named arrays: names, dtypes, shapes and values, in order of name."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.data)
    return sha.hexdigest()
