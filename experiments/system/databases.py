"""Databases, as SQLAlchemy's addresses name them."""

from pathlib import Path

import sqlalchemy

CONNECT_SECONDS = 10


def check_server(url: str) -> None:
    """Connect to a database server, and leave it as it is; what isn't a server (SQLite) is not touched.

    Raises:
        SQLAlchemyError, ImportError, ValueError: it can't be reached, its driver is missing, or the address is wrong.
    """
    if url.startswith(("postgresql", "mysql", "mssql")):
        limits = {} if url.startswith("mssql") else {"connect_timeout": CONNECT_SECONDS}
        with sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool, connect_args=limits).connect():
            pass


def sqlite_file(url: str) -> Path:
    """Return the file of an SQLite database, `sqlite:///path`."""
    return Path(sqlalchemy.make_url(url).database or "")
