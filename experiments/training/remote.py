"""A training that reports to another process, which alone writes to MLflow (and, for a sweep, to Optuna).

Nothing is written about an epoch before the other process has accepted it: its checkpoint comes after the answer.
"""

import gc
import json
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Backend, Device, Model
from experiments.contract.run_log import Point
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Dataset, Images, Split, load_dataset
from experiments.frameworks import load_backend
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.files import replace_durably, write_atomically
from experiments.system.memory import memory_mb
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.code import code_digest
from experiments.training.messages import Begun, EpochDone, Order, Outcome, Reply
from experiments.training.recorder import Recorder
from experiments.training.session import Session, end_tags, open_session
from experiments.training.training import Training, tags_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Send = Callable[[object], Reply]


class Pruned(Exception):
    """The other process has stopped the training."""


class Superseded(Exception):
    """Another attempt has taken the place of this one."""


class NotFinite(Exception):
    """A loss is NaN or infinite: the training has diverged."""


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


class ReportingListener:
    """Passes everything to a recorder, then reports the objective of each epoch, and does as it is told."""

    def __init__(self, recorder: Recorder, send: Send, log: RemoteLog, objective: str) -> None:
        self.recorder, self.send, self.log, self.objective = recorder, send, log, objective

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Pass it on; a loss that is not finite ends the training at once."""
        self.recorder.steps_done(epoch, step, losses, correct)
        if not np.isfinite(losses).all():
            raise NotFinite(f"train/loss is {losses[~np.isfinite(losses)][0]} in epoch {epoch}, step {step}")

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        """Pass it on, and ask what to do."""
        goes_on = self.recorder.epoch_done(epoch, seconds, model)
        value = self.recorder.state.history[epoch][self.objective]
        if not math.isfinite(value):
            raise NotFinite(f"{self.objective} is {value} after epoch {epoch}")
        with self.recorder.phases("logging"):
            obey(self.send(EpochDone(epoch, value, self.log.take())))
        return goes_on


def obey(reply: Reply) -> None:
    """Raise what ends the training, if it is to end."""
    if reply == Reply.PRUNE:
        raise Pruned
    if reply == Reply.SUPERSEDED:
        raise Superseded


def train_order(send: Send, order: Order) -> Outcome:
    """Train, or resume, as ordered; return how it ended. A task for an engine.

    Raises:
        TandemError: code, data or device are not what the order says.
    """
    with loaded_backend(order) as backend:
        return _attempt(send, order, backend)


@contextmanager
def loaded_backend(order: Order) -> Iterator[Backend[Model]]:
    """Yield the framework that an order needs, loaded once in a process; free what a training leaves in it."""
    started = time.perf_counter()
    backend = _backend(order.key.backend, order.device, order.threads)
    backend.phases.restart(imports=time.perf_counter() - started)
    try:
        yield backend
    finally:
        backend.forget_models()
        _freeze()


def _attempt(send: Send, order: Order, backend: Backend[Model]) -> Outcome:
    started = trained = time.perf_counter()
    training, objective = training_of(order), str(order.objective)
    take_over(order)
    log = RemoteLog(order.folder)
    state: Literal["complete", "pruned", "diverged"] = "complete"
    reason = None
    with open_session(order.folder, training, backend, log.opened, silent=True) as session:
        try:
            with backend.phases("logging"):
                obey(send(begun(session, log)))
            trained = time.perf_counter()
            session.train(ReportingListener(Recorder(session, load_test=_no_test), send, log, objective))
        except Superseded:
            return Outcome("superseded")
        except Pruned:
            state = "pruned"
        except NotFinite as error:
            state, reason = "diverged", str(error)
    session.log_resources()
    ended = time.perf_counter()
    log.tags(end_tags(session))
    values = tuple(row[objective] for _, row in sorted(session.state.history.items()))
    return Outcome(state, values, ended - started, ended - trained, memory_mb(), reason, log.take(), log.ended)


def begun(session: Session, log: RemoteLog) -> Begun:
    """Return the first report of a training."""
    log.metrics((name, value, epoch) for epoch, row in session.state.history.items() for name, value in _metrics(row))
    tags = tags_of(session.training, session.backend)
    return Begun(max(session.state.history, default=0), session.backend.device, tags, log.started, log.take())


def _metrics(row: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    yield from ((name, value) for name, value in row.items() if name != "epoch")


def training_of(order: Order) -> Training:
    """Return the training of an order.

    Raises:
        TandemError: this machine has other code or data.
    """
    dataset = _dataset(order.project.prepared, order.dataset)
    if dataset.fingerprint != order.dataset:
        raise TandemError(
            f"{dataset.folder}: expected the data of the order, {order.dataset[:12]}; got {dataset.fingerprint[:12]}; "
            "give every node the same prepared/"
        )
    if (code := code_digest(order.key.backend, order.recipe.architecture)) != order.code.digest:
        raise TandemError(
            f"{order.project.root}: expected the code and the versions of the submitting side, {order.code.digest}; "
            f"got {code}; give every node the same checkout and the same environment"
        )
    home = order.project.home
    return Training(order.key, order.recipe, dataset, order.code, order.threads, order.log_every_steps, home)


def take_over(order: Order) -> None:
    """Copy the checkpoint of the newest earlier attempt that has one, unless this attempt has its own.

    A process that was thought to be gone may still write to its own folder, but not to this one.
    """
    order.folder.mkdir(parents=True, exist_ok=True)
    file = Checkpoint(order.folder).file
    for earlier in order.earlier:
        names = [file.name, "points.json", "state.json"]
        if file.is_file() or not all((earlier / name).is_file() for name in names):
            continue
        for name in names:  # the state comes last: without it, the rest is never read
            part = order.folder / f".{name}.part"
            shutil.copyfile(earlier / name, part)
            replace_durably(part, order.folder / name)
        return


@cache
def _backend(name: BackendName, device: Device, threads: int) -> Backend[Model]:
    return load_backend(name, device=device, threads=threads)


@cache
def _dataset(folder: Path, fingerprint: str) -> Dataset:
    return load_dataset(folder)


@cache
def _freeze() -> None:
    # The first training imports and compiles what all others use. The collector runs after every training; to look
    # through the frameworks takes it a quarter of a second, unless they count as permanent.
    gc.collect()
    gc.freeze()


def _no_test() -> Split:
    raise RuntimeError("a trial asked for the test set")
