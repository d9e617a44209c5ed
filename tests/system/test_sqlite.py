"""A database's journal, wherever its folder is moved to."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from experiments.system import sqlite
from experiments.system.sqlite import journal_of, set_journal


def test_a_database_that_is_moved_has_another_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, filesystem = tmp_path / "some.db", "ext4"
    monkeypatch.setattr(sqlite, "filesystem_of", lambda folder: filesystem)
    for filesystem, journal in (("ext4", "wal"), ("nfs4", "delete"), ("ext4", "wal")):
        set_journal(file)
        assert journal_of(file) == journal, filesystem


def test_the_journal_of_a_database_that_is_in_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "some.db"
    set_journal(file)
    monkeypatch.setattr(sqlite, "filesystem_of", lambda folder: "nfs4")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE known (x)")
        set_journal(file)
        assert journal_of(file) == "wal"
    set_journal(file)
    assert journal_of(file) == "delete"
