"""A sweep that runs elsewhere: stopped, and its logs (`tandem sweep stop`, `tandem sweep logs`)."""

import time
from pathlib import Path

from experiments.settings.project import Project
from experiments.sweep.lease import held_by
from experiments.sweep.storage import connect
from experiments.sweep.study import load_study
from experiments.sweep.watch import ask_to_stop
from experiments.system.errors import TandemError

# A controller looks every second, and closes within five.
PATIENCE_SECONDS, POLL_SECONDS = 60, 0.5


def stop_sweep(project: Project, name: str) -> None:
    """Ask the controller of a study to stop, and return once it has.

    Raises:
        TandemError: there is no such study, nobody is at work on it, or its controller doesn't answer.
    """
    storage = connect(project)
    load_study(storage, name)
    held = held_by(storage.engine, name)
    if held is None or held[1].liveness() == "gone":
        raise TandemError(
            f"NAME: expected a sweep that is running; got {name!r}, which isn't; see `tandem sweep status`"
        )
    token, _ = held
    ask_to_stop(project.sweep(name), token)
    until = time.monotonic() + PATIENCE_SECONDS
    while (now := held_by(storage.engine, name)) is not None and now[0] == token:
        if time.monotonic() > until:
            raise TandemError(
                f"sweep {name}: expected its controller to stop within {PATIENCE_SECONDS} s; got no answer; end its "
                "process or its job, and repeat the sweep with --take-over when it should go on"
            )
        time.sleep(POLL_SECONDS)


def log_files(project: Project, name: str) -> list[Path]:
    """Return the logs of a sweep, the oldest first; some may be empty.

    Raises:
        TandemError: there are none.
    """
    folder = project.sweep(name)
    files = [*folder.glob("*.log"), *folder.glob("engine/logs/*.log")]
    if not files:
        raise TandemError(f"NAME: expected a sweep that has run here; got {name!r}, which left no logs in {folder}")
    return sorted(files, key=lambda file: file.stat().st_mtime)
