"""Small sweeps that kill themselves at a write: `python -m tests.sweep.faulty`, which reads from stdin what to run.

Three trials of two epochs with simulated workers, SQLite for both stores. Every transaction that writes to one of them
is two points: right before it is committed, and right after. Each sweep runs in a process of its own, forked from this
one, which has imported everything: that takes seconds.
"""

import itertools
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from experiments.dispatch import dispatcher
from experiments.engine.inline import InlineEngine
from experiments.settings.params import load_params
from experiments.settings.project import Project
from experiments.sweep import run
from experiments.sweep.plan import Backends, members_of
from experiments.sweep.run import SweepRequest, Where, run_sweep
from experiments.training.code import code_digest
from tests.conftest import ROOT
from tests.sweep.simulated import ScriptedEngine, simulated

TRIALS, COUNT = 3, "points"


def kill_at(point: int | None) -> "itertools.count[int]":
    """Count the writes of this process from now on, and end it at one of them as `kill -9` does."""
    counter = itertools.count()
    commit, execute, many = DefaultDialect.do_commit, DefaultDialect.do_execute, DefaultDialect.do_executemany
    written: set[int] = set()

    def pass_by() -> None:
        if next(counter) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(cursor: Any, statement: str) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            written.add(id(cursor.connection))

    def execute_one(dialect: Any, cursor: Any, statement: str, *rest: Any) -> Any:
        note(cursor, statement)
        return execute(dialect, cursor, statement, *rest)

    def execute_many(dialect: Any, cursor: Any, statement: str, *rest: Any) -> Any:
        note(cursor, statement)
        return many(dialect, cursor, statement, *rest)

    def write(dialect: Any, connection: Any) -> Any:
        raw = getattr(connection, "dbapi_connection", connection)
        is_write = id(raw) in written
        written.discard(id(raw))
        if is_write:
            pass_by()
        commit(dialect, connection)
        if is_write:
            pass_by()

    DefaultDialect.do_execute, DefaultDialect.do_executemany = execute_one, execute_many  # type: ignore[method-assign]
    DefaultDialect.do_commit = write  # type: ignore[method-assign]
    return counter


def sweep(folder: str, backends: Backends, point: int | None) -> None:
    """Run the sweep, to its end unless it reaches the point; write how many there were."""
    project, params = Project(Path(folder), Path(folder)), load_params(ROOT / "params.yaml")
    changes: dict[str, Any] = {"epochs": 2, "pruner": "none", "sampler": "random"}
    params = params.model_copy(update={"sweep": params.sweep.model_copy(update=changes)})
    engine = InlineEngine() if backends != "both" else ScriptedEngine(2)
    dispatcher.WAIT_SECONDS = 0
    vars(run)["make_engine"] = lambda *args, **settings: engine
    counter = kill_at(point)
    asked = SweepRequest("cnn3-sgd", backends, TRIALS, "s")
    run_sweep(project, params, asked, Where("inline", 2, task=simulated))
    Path(folder, COUNT).write_text(str(next(counter)))


def main() -> None:
    """Run what each line of stdin says, as JSON; answer with the exit status."""
    for backend in members_of("both"):
        code_digest(backend, "cnn3")  # looks at every module, once
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            status = 1
            try:
                os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
                sweep(**json.loads(line))
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
