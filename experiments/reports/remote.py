"""A complete training that reports to another process, which alone writes to MLflow: what a worker does.

Whatever belongs to the training's run is written to files, in the attempt's own folder; the other process logs them.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Backend
from experiments.contract.model import Model
from experiments.contract.run_log import outputs_tag
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Images, to_bytes
from experiments.reports.complete import train_completely
from experiments.system.files import write_json
from experiments.training.messages import Closing, EpochDone, Order, Outcome, Reply
from experiments.training.outputs import write_outputs
from experiments.training.recorder import Recorder
from experiments.training.remote import begun, loaded_backend, take_over, training_of
from experiments.training.remote_log import RemoteLog
from experiments.training.reporting import Superseded, obey
from experiments.training.session import open_session
from experiments.training.training import fingerprint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The answer to `Begun` is the id of the run; to all else, and to an attempt that isn't current, a `Reply`.
Send = Callable[[object], Any]
# A tag of the run: the digest of all that decides the training's bits.
TRAINING = "training"
# What is no file of a run, among its files: the model's folder, the description, and tables of images.
MODEL, NOTE, TABLE = "model", "note", ".images"


class FileLog(RemoteLog):
    """Keeps what a run is to have in files, its model in a folder of its own among them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files = folder / "files"
        shutil.rmtree(self.files, ignore_errors=True)
        self.files.mkdir()

    def file(self, path: Path) -> None:
        """Keep a copy of a file as it is now."""
        shutil.copyfile(path, self.files / path.name)

    def text(self, content: str, name: str) -> None:
        """Keep a text."""
        (self.files / name).write_text(content)

    def plot(self, figure: "Figure", name: str) -> None:
        """Keep a plot."""
        figure.savefig(self.files / name)

    def note(self, text: str) -> None:
        """Keep a description."""
        (self.files / NOTE).write_text(text)

    def images(self, name: str, images: Images, columns: Mapping[str, Sequence[object]]) -> None:
        """Keep a table of images."""
        write_json(self.files / f"{name}{TABLE}", {"images": to_bytes(images).tolist(), "columns": columns})

    def model(self, backend: str, model: Model, *, images: Images) -> None:
        """Keep a model in MLflow's format, which takes no store."""
        from experiments.tracking.models import save_model  # takes seconds to import, and is needed at the end alone

        save_model(self.files / MODEL, backend, model, images)


class _Reporter:
    """Passes everything to a recorder, and reports each epoch."""

    def __init__(self, recorder: Recorder, send: Send, log: RemoteLog) -> None:
        self.recorder, self.send, self.log = recorder, send, log

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Pass it on."""
        self.recorder.steps_done(epoch, step, losses, correct)

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        """Pass it on, and go on if told to."""
        goes_on = self.recorder.epoch_done(epoch, seconds, model)
        value = self.recorder.state.history[epoch]["train/loss"]
        with self.recorder.phases("logging"):
            obey(self.send(EpochDone(epoch, value, self.log.take())))
        return goes_on


def train_completely_remotely(send: Send, order: Order) -> Outcome:
    """Train as `tandem train` does, or resume, and write the outputs; return how it ended. A task for an engine.

    Raises:
        TandemError: code or data are not what the order says.
    """
    with loaded_backend(order) as backend:
        try:
            return _attempt(send, order, backend)
        except Superseded:
            return Outcome("superseded")


def _attempt(send: Send, order: Order, backend: Backend[Model]) -> Outcome:
    training = training_of(order)
    mark = fingerprint(training, backend)
    # An attempt with other settings, or on another device, is none to resume from.
    order = replace(order, folder=order.folder / mark, earlier=[folder / mark for folder in order.earlier])
    take_over(order)
    log = FileLog(order.folder)
    with open_session(order.folder, training, backend, log.opened, silent=True) as session:
        first = begun(session, log)
        tags = {**first.tags, **outputs_tag(order.project, order.key), TRAINING: mark}
        with backend.phases("logging"):
            log.run_id = _run_id(send(replace(first, tags=tags)))
        outputs = train_completely(order.project, session, lambda recorder: _Reporter(recorder, send, log))
        obey(send(Closing(log.take(), log.files, log.ended)))
    # Once the run is closed, so that outputs which exist belong to a run that is complete.
    write_outputs(order.project.run(order.key), outputs, session.model)
    return Outcome("complete")


def _run_id(answer: str | Reply) -> str:
    if isinstance(answer, Reply):
        raise Superseded
    return answer
