"""The contract that both frameworks meet, and the lazy import of the chosen one.

`models_torch` and `models_tf` each hold a dict ARCHITECTURES and a module `backend`, which has the attributes of
`Backend`. Neither knows MLflow, DVC or the other: they get arrays and settings, and report to a `Listener`.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from experiments.architectures import PACKAGES
from experiments.dataset import Images, Labels, Statistics
from experiments.errors import TandemError
from experiments.initialise import Parameter, Weights
from experiments.layers import Layer
from experiments.params import BackendName, Recipe

Logits = npt.NDArray[np.float32]
Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["float32", "float64"]


@dataclass(frozen=True)
class ModelSettings:
    """What a model is built from.

    `dropout` is None for an architecture that has none. The pixels (uint8) become `pixel * scale + offset`, in
    the precision of the weights and of all that is computed. `image_shape` is (height, width).
    """

    architecture: str
    image_shape: tuple[int, int]
    classes: int
    dropout: float | None
    scale: float
    offset: float
    precision: Precision = "float32"


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained; `seed` drives the batch order and dropout."""

    recipe: Recipe
    seed: int
    log_every_steps: int


class Model(Protocol):
    """A model of either framework, holding its weights, on its device."""

    def parameters(self) -> list[Parameter]:
        """Return the trainable parameters, in the order of the layers."""

    def get_weights(self) -> Weights:
        """Return a copy of the weights, by name and in the shapes of `parameters`."""

    def set_weights(self, weights: Weights) -> None:
        """Load such weights."""

    def predict(self, images: Images) -> Logits:
        """Return the logits, float32 of shape (n, classes), for uint8 images (n, height, width); dropout is off."""

    def save(self, folder: Path) -> None:
        """Write the model, in the framework's own format, into an existing folder."""

    def native(self) -> Any:
        """Return the framework's own model (an `nn.Module` in evaluation mode, a `keras.Model`)."""

    def native_input(self, images: Images) -> npt.NDArray[np.uint8]:
        """Return uint8 images (n, height, width) in the shape that the native model takes."""


class Inspection(Protocol):
    """What a package's module `inspection` tells of a model; arrays are in PyTorch's axis order, (n, c, h, w)."""

    def layers(self, model: Any) -> list[Layer]:
        """Return the layers in the order in which they run, with their measured shapes."""

    def activations(self, model: Any, images: Images) -> Weights:
        """Return the scaled images as `input`, and every layer's output by its path, with dropout off."""

    def loss_and_gradients(self, model: Any, images: Images, labels: Labels) -> tuple[float, Weights]:
        """Return the mean loss of a batch, and its gradient by parameter."""

    def dropouts(self, model: Any, images: Images, *, training: bool) -> dict[str, tuple[npt.NDArray[Any], ...]]:
        """Return what goes into every dropout layer and what comes out, by its path."""


class Listener(Protocol):
    """Whom a training tells what happens; epochs and steps count from 1."""

    def steps_done(
        self, epoch: int, step: int, losses: npt.NDArray[np.floating[Any]], correct: npt.NDArray[np.int64]
    ) -> None:
        """Hear of the steps of an epoch up to `step`, since the last call.

        `losses` has the mean loss of each step's batch, `correct` the number of its images that were classified
        rightly, both as seen in training (with dropout, before the update).
        """

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        """Hear that an epoch took `seconds` to train; called before its checkpoint is written."""


class Backend(Protocol):
    """A framework, set up for this process; what a package's `backend.Backend` meets."""

    device: str
    """The name of the device that models live on."""

    def __init__(self, *, device: Device, threads: int) -> None:
        """Set threads, determinism and device; once in a process, before anything else.

        Raises:
            TandemError: `device` is `gpu` and the framework sees none.
        """

    def build(self, settings: ModelSettings) -> Model:
        """Return a fresh model."""

    def train(
        self,
        model: Any,
        images: Images,
        labels: Labels,
        settings: TrainingSettings,
        *,
        checkpoint: Path | None,
        listener: Listener,
    ) -> None:
        """Train the model in place for the recipe's epochs.

        After every epoch a checkpoint replaces the file `checkpoint`. If the file is there at the start, the
        training goes on from it, and ends with the bits that it would have had without the interruption.
        """

    def forget_models(self) -> None:
        """Give back what models and trainings that are done have left in memory."""

    def versions(self) -> dict[str, str]:
        """Return the versions of the framework's packages, the framework's own first."""


def backend_name(name: str, *, asked_by: str = "BACKEND") -> BackendName:
    """Return the name as one of the backends there are.

    Raises:
        TandemError: there is none of that name.
    """
    for known in PACKAGES:
        if name == known:
            return known
    raise TandemError(f"{asked_by}: expected one of {', '.join(PACKAGES)}; got {name!r}")


def load_backend(name: BackendName, *, device: Device, threads: int) -> Backend:
    """Import a framework, which takes seconds, and set it up."""
    module = importlib.import_module(f"{PACKAGES[name]}.backend")
    return cast(Backend, module.Backend(device=device, threads=threads))


def load_inspection(name: BackendName) -> Inspection:
    """Return the inspection of a framework that `load_backend` has set up."""
    return cast(Inspection, importlib.import_module(f"{PACKAGES[name]}.inspection"))


def model_settings(
    recipe: Recipe,
    *,
    image_shape: tuple[int, int],
    classes: int,
    statistics: Statistics,
    precision: Precision = "float32",
) -> ModelSettings:
    """Return what to build for a recipe on a dataset with those statistics.

    `unit` scaling takes pixels to 0..1, x/255; `standardised` to mean 0 and deviation 1, (x/255 - mean) / std.
    """
    standardised = recipe.scaling == "standardised"
    return ModelSettings(
        architecture=recipe.architecture,
        image_shape=image_shape,
        classes=classes,
        dropout=recipe.dropout,
        scale=1 / (255 * statistics.std) if standardised else 1 / 255,
        offset=-statistics.mean / statistics.std if standardised else 0.0,
        precision=precision,
    )


def threads_for(setting: int | Literal["auto"]) -> int:
    """Return the number of threads that a setting stands for; `auto`: the cores that this process may use."""
    if setting != "auto":
        return setting
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
