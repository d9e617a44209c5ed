"""A training from its start to its end: the checkpoint to resume from, the model, and the record of its run.

The train stage and a sweep's trials share it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.contract.backend import Backend, Listener
from experiments.contract.layers import Layer
from experiments.contract.model import Model
from experiments.contract.model_settings import model_settings
from experiments.contract.run_log import RunLog
from experiments.data.dataset import batch_order
from experiments.frameworks import load_inspection
from experiments.system.console import say
from experiments.system.environment import installed_packages, to_requirements
from experiments.system.errors import TandemError
from experiments.system.files import digest
from experiments.system.git import Checkout
from experiments.system.progress import TrainingProgress
from experiments.training.buildable import check_logits, explained
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.early_stopping import last_epoch
from experiments.training.initial import build_model, new_output
from experiments.training.resources import measure, to_metrics
from experiments.training.training import Training
from experiments.training.weights_file import read_weights

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
        images = self.training.images
        # The listener is asked after an epoch: it can't end a training that has ended early, and was killed after that.
        last = last_epoch(self.training.recipe, self.state.history)
        settings = replace(self.training.settings, last_epoch=last)
        with self.progress, self.backend.phases("training"):
            self.backend.train(
                self.model, images.images, images.labels, settings, checkpoint=self.checkpoint.file, listener=listener
            )

    def save(self) -> None:
        """Keep the state in the checkpoint, with what the training has taken until now."""
        with self.backend.phases("checkpoints"):
            measure(self.state, self.backend)
            self.checkpoint.save(self.state)

    def log_resources(self) -> None:
        """Log what the training has taken, at its end, and put it into the state."""
        measure(self.state, self.backend)
        # A process that is stopped after this leaves its figures in the run; those of the next one come after them.
        step = self.state.processes
        self.tracker.metrics((name, value, step) for name, value in to_metrics(self.state).items())


@contextmanager
def open_session(
    folder: Path, training: Training, backend: Backend[Model], open_run: OpenRun, *, silent: bool = False
) -> Iterator[Session]:
    """Open a training, or resume the one that was stopped, whose checkpoint is in `folder`.

    The checkpoint stays: delete it once everything that the training leaves is written. `silent`: show no progress.

    Raises:
        TandemError: the precision is tf32 without a GPU, the architecture can't be built, the recipe doesn't fit it,
            its file of weights is missing or another one, or the checkpoint is damaged.
    """
    phases = backend.phases
    _check_precision(training, backend)
    with phases("building"):
        settings = model_settings(training.recipe, training.dataset)
        with explained(training.key.backend, settings, backend):
            model = _start(training, backend)
            layers = load_inspection(training.key.backend).layers(model)
            check_logits(model, settings)
        record = start_record(training, model) | {"multiply_adds": sum(layer.multiply_adds for layer in layers)}
    checkpoint = Checkpoint(folder)
    earlier = checkpoint.load()
    with ExitStack() as stack:
        with phases("logging"):
            tracker = stack.enter_context(open_run(earlier))
        state = _state(earlier, tracker.run_id)
        phases.add(state.seconds)
        progress = TrainingProgress(
            training.key.label, epochs=training.recipe.epochs, steps=training.steps_per_epoch, silent=silent
        )
        session = Session(training, backend, model, checkpoint, state, tracker, record, layers, progress)
        session.save()
        with phases("logging"):
            _track_start(training, record, tracker)
        yield session


def _check_precision(training: Training, backend: Backend[Model]) -> None:
    if training.recipe.precision == "tf32" and backend.device == "cpu":
        key = f"params.yaml: recipes.{training.key.recipe}.precision"
        problem = f"{key}: expected float32 or bfloat16, since TensorFloat-32 is a GPU's and this device has none"
        raise TandemError(f"{problem}; got tf32", advice="use float32, of which tf32 is the faster kind on a GPU")


def _start(training: Training, backend: Backend[Model]) -> Model:
    key, recipe = training.key, training.recipe
    given = read_weights(key.recipe, recipe, training.home)
    model = build_model(backend, recipe, training.dataset, seed=key.seed, given=given)
    if given is not None and (layer := new_output(given, model.parameters())):
        say(f"{key.label}: layer {layer} starts as drawn: {recipe.weights} has it for another number of classes")
    return model


def _state(earlier: State | None, run_id: str) -> State:
    state = earlier or State(run_id)
    # The run of a stopped training may have been deleted.
    state.run_id = run_id
    state.processes += 1
    return state


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
        "log_every_steps": training.log_every_steps,
        "parameters": sum(value.size for value in weights.values()),
        "initial_weights": digest(weights),
        "batch_order": digest(orders),
    }


def end_tags(session: Session) -> dict[str, str]:
    """Return what the run of a trained session keeps of its bits."""
    return {
        "final_weights": digest(session.model.get_weights()),
        "first_batch_loss": str(session.state.first_batch_loss),
    }


def track_files(params: Path, checkout: Checkout, tracker: RunLog) -> None:
    """Log params.yaml, the versions of all packages, and uncommitted changes."""
    tracker.file(params)
    tracker.text(to_requirements(installed_packages()), "requirements.txt")
    if checkout.diff:
        tracker.text(checkout.diff, "git.diff")


def _track_start(training: Training, record: dict[str, Any], tracker: RunLog) -> None:
    """Log settings and the dataset; a resumed run has them already."""
    settings = {name: value for name, value in training.recipe.model_dump().items() if value not in (None, {}, [])}
    start = {name: value for name, value in record.items() if name != "recipe"}
    tracker.params({**settings, **start, "backend": training.key.backend})
    tracker.dataset(training.dataset, training.images)
