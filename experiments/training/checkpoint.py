"""What a training needs to resume after a stop. Kept apart from its outputs, since DVC deletes those first."""

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from experiments.system.errors import TandemError
from experiments.system.files import read_json, write_json


@dataclass
class State:
    """The results of the epochs so far: a row of metrics for each, and when the test set was scored.

    `seconds` (of each phase) and `peaks` (of memory) are what `processes` processes have taken up to here.
    """

    run_id: str
    history: dict[int, dict[str, float]] = field(default_factory=dict)
    test_scorings: list[str] = field(default_factory=list)
    first_batch_loss: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    processes: int = 0


class Checkpoint:
    """A folder with the framework's own checkpoint and the state beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._state = folder, folder / "state.json"
        self.file = folder / "last.weights.h5"  # the framework's part; Keras wants this ending, and Lightning takes any
        folder.mkdir(parents=True, exist_ok=True)
        if not self._state.is_file():
            self.file.unlink(missing_ok=True)

    def load(self) -> State | None:
        """Return the state of the training that was stopped, if there is one.

        Raises:
            TandemError: its file is damaged.
        """
        if not self._state.is_file():
            return None
        try:
            state = State(**read_json(self._state))
        except (ValueError, TypeError) as error:
            raise TandemError(
                f"{self._state}: expected the state of a training; got {type(error).__name__}, so the file is damaged; "
                f"delete the folder {self._folder} and repeat: the training starts again"
            ) from None
        state.history = {int(epoch): row for epoch, row in state.history.items()}
        return state

    def save(self, state: State) -> None:
        """Replace the state."""
        write_json(self._state, asdict(state))

    def clear(self) -> None:
        """Delete the checkpoint of a training that is done."""
        # The state first: without it, the framework's part is never read.
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self._folder)
