"""How SQLite keeps its databases on disk."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from experiments.system.filesystem import filesystem_of, is_network


def journal_for(folder: Path) -> str:
    """Return SQLite's journal mode for a database in a folder: WAL needs memory that all its processes share.

    Either way a commit is on the disk when it returns; with WAL, that takes a third of the time.
    """
    return "DELETE" if is_network(filesystem_of(folder)) else "WAL"


def journal_of(file: Path) -> str:
    """Return the journal mode of a database."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def set_journal(file: Path) -> None:
    """Give a database the journal mode for its folder; it stays as it is while others have it open.

    The mode is kept in the file.
    """
    with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.OperationalError):
        connection.execute(f"PRAGMA journal_mode={journal_for(file.parent)}")
