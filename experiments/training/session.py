"""A training from its start to its end: the checkpoint to resume from, the model, and the record of its run.

The train stage and a sweep's trials share it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.contract.backend import Backend, Listener, Model
from experiments.contract.layers import Layer
from experiments.contract.run_log import RunLog
from experiments.data.dataset import batch_order
from experiments.frameworks import load_inspection
from experiments.system.files import digest
from experiments.system.git import Checkout
from experiments.system.progress import TrainingProgress
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.initial import build_model
from experiments.training.training import Training

# Opens the record of a training, given the state of one that was stopped.
OpenRun = Callable[[State | None], AbstractContextManager[RunLog]]


@dataclass
class Session:
    """What an open training holds. `record` says what it started from."""

    training: Training
    backend: Backend[Model]
    model: Model
    checkpoint: Checkpoint
    state: State
    tracker: RunLog
    record: dict[str, Any]
    layers: list[Layer]
    progress: TrainingProgress

    def train(self, listener: Listener) -> None:
        """Train the model, from the checkpoint of a stopped training if there is one."""
        images, settings = self.training.images, self.training.settings
        with self.progress:
            self.backend.train(
                self.model, images.images, images.labels, settings, checkpoint=self.checkpoint.file, listener=listener
            )


@contextmanager
def open_session(
    folder: Path, training: Training, backend: Backend[Model], open_run: OpenRun, *, silent: bool = False
) -> Iterator[Session]:
    """Open a training, or resume the one that was stopped, whose checkpoint is in `folder`.

    The checkpoint stays: delete it once everything that the training leaves is written. `silent`: show no progress.

    Raises:
        TandemError: the recipe doesn't fit the architecture, or the checkpoint is damaged.
    """
    model = build_model(backend, training.recipe, training.dataset, seed=training.key.seed)
    checkpoint = Checkpoint(folder)
    state = checkpoint.load()
    with open_run(state) as tracker:
        state = state or State(tracker.run_id)
        # The run of a stopped training may have been deleted.
        state.run_id = tracker.run_id
        checkpoint.save(state)
        layers = load_inspection(training.key.backend).layers(model)
        record = start_record(training, model) | {"multiply_adds": sum(layer.multiply_adds for layer in layers)}
        _track_start(training, record, tracker)
        progress = TrainingProgress(
            training.key.label, epochs=training.recipe.epochs, steps=training.steps_per_epoch, silent=silent
        )
        yield Session(training, backend, model, checkpoint, state, tracker, record, layers, progress)


def start_record(training: Training, model: Model) -> dict[str, Any]:
    """Return what a training starts from; the weights are those that the model gives back."""
    recipe, images = training.recipe, len(training.images.labels)
    orders = {
        f"epoch {epoch}": batch_order(
            images, seed=training.key.seed, epoch=epoch, batch_size=recipe.batch_size, drop_last=recipe.drop_last
        )
        for epoch in range(1, recipe.epochs + 1)
    }
    weights = model.get_weights()
    return {
        "recipe": recipe.model_dump(),
        "seed": training.key.seed,
        "code": training.code.digest,
        "threads": training.threads,
        "parameters": sum(value.size for value in weights.values()),
        "initial_weights": digest(weights),
        "batch_order": digest(orders),
    }


def track_files(params: Path, checkout: Checkout, tracker: RunLog) -> None:
    """Log params.yaml and uncommitted changes."""
    tracker.file(params)
    if checkout.diff:
        tracker.text(checkout.diff, "git.diff")


def _track_start(training: Training, record: dict[str, Any], tracker: RunLog) -> None:
    """Log settings and the dataset; a resumed run has them already."""
    settings = {name: value for name, value in training.recipe.model_dump().items() if value not in (None, {})}
    start = {name: value for name, value in record.items() if name != "recipe"}
    tracker.params({**settings, **start, "backend": training.key.backend})
    tracker.dataset(training.dataset, training.images)
