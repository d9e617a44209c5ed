"""What a framework must offer. `experiments.frameworks` loads the chosen one when it is needed.

`models_torch` and `models_tf` each hold a dict ARCHITECTURES and a module `backend.backend` with a class `Backend`.
Neither knows MLflow, DVC or the other: they get arrays and settings, and report to a `Listener`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from experiments.contract.model import Model, ModelT
from experiments.contract.model_settings import ModelSettings
from experiments.contract.phases import Phases
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Images, Labels
from experiments.settings.recipe import Recipe

Device = Literal["auto", "cpu", "gpu"]


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained; `seed` determines the batch order and dropout.

    It is trained up to `last_epoch`; None: for all epochs of the recipe, which its schedule counts either way.
    """

    recipe: Recipe
    seed: int
    log_every_steps: int
    last_epoch: int | None = None

    @property
    def epochs(self) -> int:
        """The epoch after which the training ends, if the listener doesn't end it before."""
        return self.recipe.epochs if self.last_epoch is None else self.last_epoch


class Listener(Protocol):
    """Receives the progress of a training; epochs and steps count from 1."""

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Receive the steps of an epoch up to `step`, since the last call.

        `losses` has the mean loss of each step's batch, `correct` the number of its images that were classified
        correctly, both as seen in training (with dropout, before the update).
        """

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        """Receive the end of an epoch that took `seconds` to train, before its checkpoint is written.

        Returns whether the training goes on: if not, it ends once the checkpoint is written.
        """


class Backend(Protocol[ModelT]):
    """A framework, set up for this process; what the class `Backend` of `models_*/backend/backend.py` implements."""

    device: str
    """The name of the device that models are on."""
    phases: Phases
    """The clock of the training that runs in this process; `train` tells it when it compiles and writes checkpoints."""

    def __init__(self, *, device: Device, threads: int) -> None:
        """Set threads, determinism and device; once in a process, before anything else.

        Raises:
            TandemError: `device` is `gpu` and the framework sees none.
        """

    def build(self, settings: ModelSettings) -> ModelT:
        """Return a new model."""

    def train(
        self,
        model: ModelT,
        images: Images,
        labels: Labels,
        settings: TrainingSettings,
        *,
        checkpoint: Path | None,
        listener: Listener,
    ) -> None:
        """Train the model in place for the recipe's epochs, or until the listener ends it.

        After every epoch a checkpoint replaces the file `checkpoint`. If the file exists at the start, the training
        resumes from it, and ends with the same bits as without the interruption.
        """

    def forget_models(self) -> None:
        """Free the memory that models and trainings have left behind; no model that was built before may be used again.

        A framework may keep what the next model can take over, at most that of one training. The peak of the device's
        memory counts from here on.
        """

    def peak_device_memory_mb(self) -> float | None:
        """Return the most memory, in 10⁶ bytes, that tensors have taken on the GPU; None on a CPU."""

    def versions(self) -> dict[str, str]:
        """Return the versions of the framework's packages, the framework's own first."""
