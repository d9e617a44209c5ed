"""The metric that MLflow's page for comparing runs opens on.

It is the first that the runs have, in the order of the rows of MLflow's database: the metric that was logged first,
the loss of a step. In the project's own database, the rows of the result are moved to the front; nothing else changes.
A test in a browser says whether the page still works so.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

FIRST = ("test/accuracy", "objective")
# How long others may hold the database.
SECONDS = 60


def put_first(file: Path) -> None:
    """Let the metrics in FIRST come before the others of each run."""
    wanted = f"key IN ({', '.join('?' * len(FIRST))}) AND rowid > 0"
    with closing(sqlite3.connect(file, timeout=SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        rows = connection.execute(f"SELECT rowid FROM latest_metrics WHERE {wanted}", FIRST).fetchall()  # noqa: S608
        (lowest,) = connection.execute("SELECT coalesce(min(0, min(rowid)), 0) FROM latest_metrics").fetchone()
        moves = [(lowest - number, row) for number, (row,) in enumerate(rows, 1)]
        connection.executemany("UPDATE latest_metrics SET rowid = ? WHERE rowid = ?", moves)
        connection.execute("COMMIT")
