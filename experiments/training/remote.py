"""A training that reports to another process, which alone writes to MLflow (and, for a sweep, to Optuna).

Nothing is written about an epoch before the other process has accepted it: its checkpoint comes after the answer.
"""

import gc
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

from experiments.contract.backend import Backend, Device
from experiments.contract.model import Model
from experiments.data.dataset import Dataset, Split, load_dataset
from experiments.frameworks import load_backend
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.files import replace_durably
from experiments.system.memory import memory_mb
from experiments.training.checkpoint import Checkpoint
from experiments.training.code import code_digest
from experiments.training.messages import Begun, Order, Outcome
from experiments.training.recorder import Recorder
from experiments.training.remote_log import RemoteLog
from experiments.training.reporting import NotFinite, Pruned, ReportingListener, Send, Superseded, obey
from experiments.training.session import Session, end_tags, open_session
from experiments.training.training import Training, tags_of


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
