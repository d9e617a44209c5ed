"""Reports each epoch of a training to another process, and ends it where that says so."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from experiments.contract.model import Model
from experiments.contract.weights import FloatArray
from experiments.training.messages import EpochDone, Reply
from experiments.training.recorder import Recorder
from experiments.training.remote_log import RemoteLog

Send = Callable[[object], Reply]


class Pruned(Exception):
    """The other process has stopped the training."""


class Superseded(Exception):
    """Another attempt has taken the place of this one."""


class NotFinite(Exception):
    """A loss is NaN or infinite: the training has diverged."""


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
