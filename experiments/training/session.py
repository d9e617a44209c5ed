"""A training from its start to its end: the lock, the checkpoint to resume from, and its MLflow run.

The train stage and a sweep's trials share it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from experiments.contract.backend import Backend, Listener, Model
from experiments.contract.layers import layer_table
from experiments.data.dataset import batch_order
from experiments.frameworks import load_inspection
from experiments.settings.project import Project
from experiments.system.files import digest
from experiments.system.git import Checkout
from experiments.system.locks import exclusive
from experiments.system.progress import TrainingProgress
from experiments.tracking import runs
from experiments.tracking.run import Tracker, track
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.initial import build_model
from experiments.training.training import Training, fingerprint


def _last_run(state: State | None) -> str | None:
    """Return the run of the training that was stopped, if MLflow still has it."""
    run = runs.find_run(state.run_id) if state else None
    return run.info.run_id if run else None


@dataclass(frozen=True)
class RunSettings:
    """How the MLflow run of a training is opened.

    `command` is what to type to have it again. `resumes` returns the id of the run to resume, given the state of a
    training that was stopped. A trial of a `sweep` may resume with another number of threads; system metrics, and the
    files that all trials share, are in its parent run.
    """

    experiment: str
    command: str
    tags: Mapping[str, str]
    resumes: Callable[[State | None], str | None] = _last_run
    sweep: str | None = None


@dataclass
class Session:
    """What an open training holds. `record` says what it started from.

    `when_closed`: what to do once the run is closed, before the checkpoint is deleted; a kill in between loses nothing.
    """

    training: Training
    backend: Backend[Model]
    model: Model
    checkpoint: Checkpoint
    state: State
    tracker: Tracker
    tags: Mapping[str, str]
    record: dict[str, Any]
    progress: TrainingProgress
    when_closed: list[Callable[[], object]] = field(default_factory=list)

    def train(self, listener: Listener) -> None:
        """Train the model, from the checkpoint of a stopped training if there is one."""
        images, settings = self.training.images, self.training.settings
        with self.progress:
            self.backend.train(
                self.model, images.images, images.labels, settings, checkpoint=self.checkpoint.file, listener=listener
            )


@contextmanager
def open_session(
    project: Project, training: Training, backend: Backend[Model], settings: RunSettings
) -> Iterator[Session]:
    """Open a training, or resume the one that was stopped; keep its checkpoint unless the block succeeds.

    Raises:
        TandemError: another process trains the same, or the recipe doesn't fit the architecture.
    """
    model = build_model(backend, training.recipe, training.dataset, seed=training.key.seed)
    digest_of_all = fingerprint(training, backend, any_threads=settings.sweep is not None)
    folder = project.checkpoint(training.key, digest_of_all, sweep=settings.sweep)
    with exclusive(folder, str(training.key)):
        checkpoint = Checkpoint(folder)
        state = checkpoint.load()
        with track(
            training.key.label,
            experiment=settings.experiment,
            tags=settings.tags,
            command=settings.command,
            resume=settings.resumes(state),
            system_metrics=settings.sweep is None,
        ) as tracker:
            state = state or State(tracker.run_id)
            # The run of a stopped training may have been deleted.
            state.run_id = tracker.run_id
            checkpoint.save(state)
            layers = load_inspection(training.key.backend).layers(model)
            record = start_record(training, model) | {"multiply_adds": sum(layer.multiply_adds for layer in layers)}
            if settings.sweep is None:
                track_files(project, training.code.checkout, tracker)
                tracker.text(layer_table(layers), "layers.md")
            _track_start(training, record, tracker)
            progress = TrainingProgress(
                training.key.label, epochs=training.recipe.epochs, steps=training.steps_per_epoch
            )
            session = Session(training, backend, model, checkpoint, state, tracker, settings.tags, record, progress)
            yield session
        for action in session.when_closed:
            action()
        checkpoint.clear()


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


def track_files(project: Project, checkout: Checkout, tracker: Tracker) -> None:
    """Log params.yaml and uncommitted changes."""
    tracker.file(project.params)
    if checkout.diff:
        tracker.text(checkout.diff, "git.diff")


def _track_start(training: Training, record: dict[str, Any], tracker: Tracker) -> None:
    """Log settings and the dataset; a resumed run has them already."""
    settings = {name: value for name, value in training.recipe.model_dump().items() if value not in (None, {})}
    start = {name: value for name, value in record.items() if name != "recipe"}
    tracker.params({**settings, **start, "backend": training.key.backend})
    tracker.dataset(training.dataset, training.images)
