"""How SQLite keeps its databases on disk."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from experiments.system.checks import Check
from experiments.system.filesystem import filesystem_of, is_network


def journal_for(folder: Path) -> str:
    """Return SQLite's journal mode for a database in a folder: WAL needs memory that all its processes share.

    Either way a commit is on the disk when it returns; with WAL, that takes a third of the time.
    """
    return "DELETE" if is_network(filesystem_of(folder)) else "WAL"


def journal_of(file: Path) -> str:
    """Return the journal mode of a database: `wal`, or `delete` for any other.

    From the file's header (sqlite.org/fileformat2.html, 1.3.3): to open one with WAL, even to read, leaves files.
    """
    with file.open("rb") as database:
        return "wal" if database.read(20)[18:19] == b"\x02" else "delete"


def check_journal(what: str, file: Path, changed_by: str) -> Check:
    """Return whether a database, which may not be there yet, can be where it is; `changed_by` names a command."""
    filesystem = filesystem_of(file.parent) or "an unknown file system"
    if not file.is_file():
        return Check(what, "ok", f"{file}: not made yet; on {filesystem}")
    if not is_database(file):
        return Check(what, "problem", f"{file}: no SQLite database", "move it away, and restore it from a copy")
    journal = journal_of(file)
    remedy = f"WAL fails between machines: stop all that uses it, then `{changed_by}` changes the journal"
    good = not (is_network(filesystem) and journal == "wal")
    return Check.of(what, f"{file}: SQLite on {filesystem}, journal {journal}", good=good, remedy=remedy)


def is_database(file: Path) -> bool:
    """Return whether a file is an SQLite database, as its header says; an empty one is."""
    with file.open("rb") as database:
        return database.read(16) in (b"", b"SQLite format 3\x00")


def set_journal(file: Path) -> None:
    """Give a database the journal mode for its folder; it stays as it is while others have it open.

    The mode is kept in the file.
    """
    with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.OperationalError):
        connection.execute(f"PRAGMA journal_mode={journal_for(file.parent)}")
