"""The progress of a training or of a list: a bar on a terminal, a line every 20 seconds elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn, track

from experiments.system.console import say

LINE_SECONDS = 20
Item = TypeVar("Item")


def epoch_line(name: str, epoch: str, metrics: Mapping[str, float]) -> str:
    """Return a line on an epoch that has ended."""
    parts = [
        f"{metric} {100 * value:.2f} %" if metric.endswith("accuracy") else f"{metric} {value:.4f}"
        for metric, value in metrics.items()
        if "/" in metric
    ]
    parts += [f"{metrics['epoch_seconds']:.1f} s"] if "epoch_seconds" in metrics else []
    return f"{name}: epoch {epoch}: {', '.join(parts)}"


class TrainingProgress:
    """Shows the steps of a training, inside a `with`; `silent` shows nothing."""

    def __init__(self, name: str, *, epochs: int, steps: int, silent: bool = False) -> None:
        self._epochs, self._steps, self._silent = epochs, steps, silent
        self._name, self._started, self._reported = name, time.monotonic(), time.monotonic()
        self._first: int | None = None
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        console = Console(file=sys.stderr)
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal and not silent else None
        self._task = self._bar.add_task(name, total=epochs * steps) if self._bar else None

    def step(self, epoch: int, step: int) -> None:
        """Show that a step of an epoch is done, both counted from 1."""
        done = (epoch - 1) * self._steps + step
        if self._first is None:
            self._first, self._started = done, time.monotonic()
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=done)
        elif not self._silent and time.monotonic() - self._reported > LINE_SECONDS:
            self._reported = time.monotonic()
            pace = (self._reported - self._started) / max(done - self._first, 1)
            left = pace * (self._epochs * self._steps - done)
            say(f"{self._name}: epoch {epoch}/{self._epochs}, step {step}/{self._steps}, about {left:.0f} s left")

    def epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Print the metrics of an epoch that has ended."""
        self._print(epoch_line(self._name, f"{epoch}/{self._epochs}", metrics))

    def ended_early(self, reason: str) -> None:
        """Print why no epoch follows."""
        self._print(f"{self._name}: stops early: {reason}")

    def _print(self, line: str) -> None:
        if self._bar:
            self._bar.console.print(line, highlight=False)
        elif not self._silent:
            say(line)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()


def tracked(items: Iterable[Item], title: str, total: int) -> Iterator[Item]:
    """Yield the items, with a bar on a terminal and a line every 20 seconds elsewhere."""
    console = Console(file=sys.stderr)
    if console.is_terminal:
        yield from track(items, title, total, console=console, transient=True)
        return
    reported = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - reported > LINE_SECONDS:
            reported = time.monotonic()
            say(f"{title}: {done:,} of {total:,}")
        yield item
