"""Where exports go, and where they are worked on until then."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from experiments.export.formats import PROGRAM, RECORD, Format
from experiments.system.errors import TandemError
from experiments.system.files import scratch_folder

# Of the hidden folder for work; the next export into the same place deletes that of a killed one.
PREFIX = ".tandem-export-"


def check_folder(folder: Path, kind: Format) -> None:
    """Refuse a folder that an export must not replace, or can't.

    Raises:
        TandemError: it is there, and no earlier export in this format; or it can't be written.
    """
    for parent in (folder, *folder.parents):
        if parent.is_symlink() or parent.exists():
            if not parent.is_dir():
                raise TandemError(f"--out: expected a folder; got {parent}, which is a file; name another")
            if not os.access(parent, os.W_OK | os.X_OK):
                raise TandemError(f"--out: expected a folder that can be written; got {parent}; name another")
            break
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names not in (set(), {kind.file, PROGRAM, RECORD}):
        raise TandemError(
            f"--out: expected a new folder, or that of an earlier export to {kind.name}; got {folder}, which is "
            "something else; name another"
        )


@contextmanager
def work_folder(place: Path) -> Iterator[Path]:
    """Yield a hidden folder to work in, in `place`, which is made; if nothing else comes into it, it goes with it.

    Raises:
        TandemError: there can't be one.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder(PREFIX, place))
        except OSError as error:
            expected = f"--out: expected a folder that can be written; got {place}"
            raise TandemError(f"{expected}: {error.strerror}; name another") from None
        yield folder
