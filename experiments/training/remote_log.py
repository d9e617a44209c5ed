"""What a training that reports to another process would write to MLflow, kept until it is sent."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.contract.model import Model
from experiments.contract.run_log import Point
from experiments.data.dataset import Dataset, Images, Split
from experiments.system.files import write_atomically
from experiments.training.checkpoint import State

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RemoteLog:
    """Collects what a run is to have, in a file beside the checkpoint, and hands out what was not sent yet."""

    run_id = ""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "points.json"
        known = json.loads(self._file.read_text()) if self._file.is_file() else []
        self._points: dict[tuple[str, int], float] = {(name, step): value for name, value, step in known}
        self._unsent = dict(self._points)
        self.started: dict[str, object] = {}
        self.ended: dict[str, str] = {}

    @contextmanager
    def opened(self, state: State | None) -> Iterator["RemoteLog"]:
        """Yield itself: what a session opens."""
        yield self

    def metrics(self, points: Iterable[Point]) -> None:
        """Keep what is new."""
        for name, value, step in points:
            if (name, step) not in self._points:
                self._points[name, step] = self._unsent[name, step] = value

    def take(self) -> list[Point]:
        """Return what was not sent yet; it counts as sent."""
        taken, self._unsent = [(name, value, step) for (name, step), value in self._unsent.items()], {}
        return taken

    def flush(self) -> None:
        """Write all of it to disk."""
        points = [(name, value, step) for (name, step), value in self._points.items()]
        write_atomically(self._file, json.dumps(points))

    def params(self, values: Mapping[str, object]) -> None:
        """Keep them for the first report."""
        self.started |= values

    def tags(self, values: Mapping[str, str]) -> None:
        """Keep them for the last report."""
        self.ended |= values

    def file(self, path: Path) -> None:
        """Do nothing: the other process has it."""

    def text(self, content: str, name: str) -> None:
        """Do nothing."""

    def plot(self, figure: "Figure", name: str) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def images(self, name: str, images: Images, columns: Mapping[str, Sequence[object]]) -> None:
        """Do nothing."""

    def dataset(self, dataset: Dataset, split: Split) -> None:
        """Do nothing: the other process has it."""

    def model(self, backend: str, model: Model, *, images: Images) -> None:
        """Do nothing."""
