"""What a training needs to go on after it was stopped, beside its outputs since DVC deletes those first."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock

from experiments.errors import TandemError
from experiments.files import read_json, write_json

# An orphan of a killed `dvc repro` notices within a second and closes its run; give it time.
LOCK_SECONDS = 30


@dataclass
class State:
    """What the epochs so far have brought: a row of metrics for each, and when the test set was scored."""

    run_id: str
    history: dict[int, dict[str, float]] = field(default_factory=dict)
    test_scorings: list[str] = field(default_factory=list)
    first_batch_loss: float | None = None


class Checkpoint:
    """A folder with the framework's own checkpoint, the state beside it, and what both stand on."""

    def __init__(self, folder: Path, stands_on: Mapping[str, Any]) -> None:
        self._folder = folder
        # As JSON, since that is what it is compared with.
        self._stands_on = json.loads(json.dumps(stands_on))
        folder.mkdir(parents=True, exist_ok=True)
        if self._read().get("stands_on") != self._stands_on:
            self.clear()

    @property
    def file(self) -> Path:
        """The framework's part; Keras wants this ending, and Lightning takes any."""
        return self._folder / "last.weights.h5"

    def load(self) -> State | None:
        """Return the state of the training that was stopped, if there is one."""
        content = self._read()
        if not content:
            return None
        state = State(**content["state"])
        state.history = {int(epoch): row for epoch, row in state.history.items()}
        return state

    def _read(self) -> dict[str, Any]:
        path = self._folder / "state.json"
        return read_json(path) if path.is_file() else {}

    def save(self, state: State) -> None:
        """Replace the state."""
        write_json(self._folder / "state.json", {"stands_on": self._stands_on, "state": asdict(state)})

    def clear(self) -> None:
        """Forget the training: it is done, or another one has begun."""
        # The state first: without it, the framework's part is never read.
        (self._folder / "state.json").unlink(missing_ok=True)
        shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)


@contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Keep a second process from training the same recipe, backend and seed at the same time.

    Raises:
        TandemError: another process does so.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder.with_suffix(".lock"), timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise TandemError(
            f"{'/'.join(folder.parts[-3:])}: another process is training this; wait for it, or stop it, and repeat"
        ) from None
