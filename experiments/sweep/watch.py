"""What a running sweep shows: a table on a terminal, a line now and then elsewhere, and a file for `sweep status`."""

import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from experiments.settings.project import Project
from experiments.system.console import say
from experiments.system.errors import Stopped
from experiments.system.files import read_json, write_json

if TYPE_CHECKING:
    from experiments.sweep.attempt import TrialAttempt
    from experiments.sweep.controller import Controller

LOOK_SECONDS, LINE_SECONDS = 1, 30
LIVE, STOP = "live.json", "stop"
NOTHING = "no sweep is running; one that is detached may wait in Slurm's queue (squeue --me)"


class Watcher:
    """Looks at a controller once a second, and stops it if `tandem sweep stop` asks for that."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder, self._stop = folder, folder / f"{STOP}-{token}"
        folder.mkdir(parents=True, exist_ok=True)
        self._looked = self._said = time.monotonic()
        console = Console(file=sys.stderr)
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        if self._live:
            self._live.start()

    def look(self, controller: "Controller") -> None:
        """Show how far it is.

        Raises:
            Stopped: it is asked to stop.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked, state = now, snapshot(controller)
        with suppress(OSError):  # a full disk is noticed where it matters
            write_json(self.folder / LIVE, state)
        if self._live:
            self._live.update(live_table(state), refresh=True)
        elif now - self._said > LINE_SECONDS:
            self._line(state)
        if self._stop.exists():
            self._stop.unlink()
            raise Stopped(signal.SIGTERM)

    def say(self, controller: "Controller") -> None:
        """Say that a trial has ended."""
        if not self._live:
            self._line(snapshot(controller))

    def _line(self, state: Mapping[str, Any]) -> None:
        self._said = time.monotonic()
        say(headline(state))

    def close(self) -> None:
        """Show nothing any more."""
        if self._live:
            self._live.stop()
        (self.folder / LIVE).unlink(missing_ok=True)


def snapshot(controller: "Controller") -> dict[str, Any]:
    """Return how far a controller is."""
    target = controller.target
    return {
        "name": target.plan.name,
        "objective": target.plan.objective,
        "finished": controller.finished,
        "budget": controller.budget,
        "best": controller.best.value,
        "workers": len(controller.slots.connected),
        "aside": controller.slots.aside,
        "epochs": target.plan.settings.epochs,
        "training": [_row(attempt) for attempt in controller.current.values()],
    }


def _row(attempt: "TrialAttempt") -> dict[str, Any]:
    slot = attempt.slot
    value = attempt.value if attempt.value == attempt.value else None
    known = {"trial": attempt.job.number, "backend": attempt.job.backend, "epoch": attempt.epoch, "value": value}
    return known | {"worker": slot.name, "node": slot.node, "gpus": slot.gpus}


def headline(state: Mapping[str, Any]) -> str:
    """Return a line on how far a sweep is."""
    best = f", best {state['objective']} {state['best']:.4f}" if state["best"] is not None else ""
    workers = f", {state['workers']} worker(s)" + (f", {len(state['aside'])} put aside" if state["aside"] else "")
    return f"sweep {state['name']}: {state['finished']}/{state['budget']} trials{best}{workers}"


def live_table(state: Mapping[str, Any]) -> Group:
    """Return how far a sweep is, and what is being trained where."""
    table = Table("trial", "backend", "worker", "node", "GPU", "epoch", state["objective"])
    for row in state["training"]:
        value = "" if row["value"] is None else f"{row['value']:.4f}"
        epoch = f"{row['epoch']}/{state['epochs']}"
        table.add_row(str(row["trial"]), row["backend"], row["worker"], row["node"], row["gpus"], epoch, value)
    return Group(headline(state), table)


def read_live(folder: Path) -> dict[str, Any] | None:
    """Return how far the controller of a sweep is, if one is at work; a kill leaves its last words."""
    try:
        return read_json(folder / LIVE)
    except FileNotFoundError:
        return None


def follow(project: Project, name: str | None) -> None:
    """Show the running sweep of that name, or all of them, until Ctrl-C."""
    with suppress(Stopped), Live(console=Console(), auto_refresh=False) as live:
        while True:
            folders = [project.sweep(name)] if name else sorted(project.sweep("x").parent.glob("*"))
            states = [state for folder in folders if (state := read_live(folder))]
            tables = [live_table(state) for state in states]
            live.update(Group(*tables) if tables else NOTHING, refresh=True)
            time.sleep(LOOK_SECONDS)


def ask_to_stop(folder: Path, token: str) -> None:
    """Ask the controller that has this lease to stop; another one doesn't look at it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{STOP}-{token}").touch()
