"""One controller a study: every write to the study's database is conditional on its lease.

The lease is a row of a table beside Optuna's: a token, and the process that wrote it. Each transaction of a controller
begins by reading the row, locked until its end; if somebody else's token is there, the transaction fails. So a
controller that was suspended, and lost its lease, can write nothing more, whatever clocks say.
"""

import json
import uuid
from contextlib import suppress
from dataclasses import asdict

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, event, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from experiments.system.errors import TandemError
from experiments.system.processes import ProcessId

LEASES = Table(
    "tandem_leases",
    MetaData(),
    Column("study", String(255), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("holder", String(1024), nullable=False),
)
FREE = ""


class LeaseLost(TandemError):
    """Another controller has taken the study over."""


class Lease:
    """The right to write to a study."""

    def __init__(self, engine: Engine, study: str) -> None:
        self.engine, self.study, self.token = engine, study, uuid.uuid4().hex
        # FOR UPDATE, where a database knows it: SQLite's transactions have the whole database.
        self._query = select(LEASES.c.token, LEASES.c.holder).where(LEASES.c.study == study).with_for_update()

    def acquire(self, *, take_over: bool = False) -> None:
        """Take the lease if it is free, or its holder is known to be gone, or with `take_over` in any case.

        Raises:
            TandemError: another process has it.
        """
        with suppress(IntegrityError), self.engine.begin() as connection:  # another process may insert it now
            if self._row(connection) is None:
                connection.execute(insert(LEASES).values(study=self.study, token=FREE, holder="{}"))
        with self.engine.begin() as connection:
            token, holder = self._row(connection) or (FREE, "{}")
            if token != FREE and not take_over:
                refuse_unless_gone(self.study, ProcessId.read(json.loads(holder)))
            mine = {"token": self.token, "holder": json.dumps(asdict(ProcessId.own()))}
            connection.execute(update(LEASES).where(LEASES.c.study == self.study).values(**mine))
        event.listen(self.engine, "begin", self._check)

    def check(self) -> None:
        """Make sure that the lease is still there.

        Raises:
            LeaseLost: it isn't.
        """
        with self.engine.begin():
            pass  # `_check` has read it

    def release(self) -> None:
        """Give the lease back, if it is still there; a database that is away keeps it, as after a kill."""
        event.remove(self.engine, "begin", self._check)
        with suppress(SQLAlchemyError), self.engine.begin() as connection:
            mine = (LEASES.c.study == self.study) & (LEASES.c.token == self.token)
            connection.execute(update(LEASES).where(mine).values(token=FREE))

    def _row(self, connection: Connection) -> tuple[str, str] | None:
        row = connection.execute(self._query).first()
        return (row[0], row[1]) if row else None

    def _check(self, connection: Connection) -> None:
        row = self._row(connection)
        if row is None or row[0] != self.token:
            raise LeaseLost(
                f"sweep {self.study}: expected to be its only controller; another one has taken it over; "
                "this one stops, and has written nothing since"
            )


def refuse_unless_gone(study: str, holder: ProcessId) -> None:
    """Return if the process that has the lease of a study is known to be gone.

    Raises:
        TandemError: it isn't.
    """
    liveness = holder.liveness()
    if liveness == "gone":
        return
    where = f"process {holder.pid}" if liveness == "alive" else f"process {holder.pid} of another machine or boot"
    raise TandemError(
        f"sweep {study}: expected no other controller; got {where}; stop it (`tandem sweep stop "
        f"{study}`), or, if it is gone, repeat with --take-over"
    )


def held_by(engine: Engine, study: str) -> tuple[str, ProcessId] | None:
    """Return the token of a study's lease, and the process that has it; None: nobody has."""
    with engine.begin() as connection:
        row = connection.execute(select(LEASES.c.token, LEASES.c.holder).where(LEASES.c.study == study)).first()
    return (row[0], ProcessId.read(json.loads(row[1]))) if row and row[0] != FREE else None


def holder(engine: Engine, study: str) -> ProcessId | None:
    """Return the process that has the lease of a study; None: nobody has."""
    held = held_by(engine, study)
    return held[1] if held else None
