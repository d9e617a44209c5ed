"""What a training needs to go on after it was stopped, beside its outputs since DVC deletes those first."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

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
    """A folder with the framework's own checkpoint and the state beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if not self._state.is_file():
            self.file.unlink(missing_ok=True)

    @property
    def file(self) -> Path:
        """The framework's part; Keras wants this ending, and Lightning takes any."""
        return self._folder / "last.weights.h5"

    @property
    def _state(self) -> Path:
        return self._folder / "state.json"

    def load(self) -> State | None:
        """Return the state of the training that was stopped, if there is one."""
        if not self._state.is_file():
            return None
        state = State(**read_json(self._state))
        state.history = {int(epoch): row for epoch, row in state.history.items()}
        return state

    def save(self, state: State) -> None:
        """Replace the state."""
        write_json(self._state, asdict(state))

    def clear(self) -> None:
        """Forget the training, which is done."""
        # The state first: without it, the framework's part is never read.
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self._folder)


@contextmanager
def sole_owner(folder: Path, what: str) -> Iterator[None]:
    """Keep a second process from doing the same (a training, a sweep) at the same time.

    Raises:
        TandemError: another process does so.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise TandemError(f"{what}: another process is at work on this; wait for it, or stop it, and repeat") from None
