"""What a framework must offer. `experiments.frameworks` loads the chosen one when it is needed.

`models_torch` and `models_tf` each hold a dict ARCHITECTURES and a module `backend.backend` with a class `Backend`.
Neither knows MLflow, DVC or the other: they get arrays and settings, and report to a `Listener`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from experiments.contract.inputs import input_of
from experiments.contract.phases import Phases
from experiments.contract.scaling import scaling_of
from experiments.contract.weights import FloatArray, Parameter, Weights
from experiments.data.dataset import Dataset, Images, ImageShape, Labels, PixelType
from experiments.settings.recipe import Option, Recipe

Logits = npt.NDArray[np.float32]
Device = Literal["auto", "cpu", "gpu"]
# Of a model's weights, and of all that it computes outside of training; a recipe's `precision` is that of its steps.
Precision = Literal["float32", "float64"]
# How many of the dataset's images a forward pass in evaluation takes.
PREDICT_BATCH = 1000
# The same, of a saved model, which doesn't say whether it enlarges them.
SAVED_BATCH = 100


@dataclass(frozen=True)
class ModelSettings:
    """What a model is built from.

    `dropout` is None for an architecture that has none. The pixels, of `pixel_type`, become `pixel * scale + offset`,
    one number for all or one a channel, in the precision of the weights and of all that is computed. `image_shape` is
    the images' (height, width, channels). The network gets them enlarged to `size` pixels in both directions, with
    `channels`, of which a grey image has copies (None: as they are). `freeze` names the layers that aren't trained;
    `options` are what the architecture's factory takes besides.
    """

    architecture: str
    image_shape: ImageShape
    classes: int
    dropout: float | None
    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...]
    precision: Precision = "float32"
    size: int | None = None
    channels: int | None = None
    freeze: tuple[str, ...] = ()
    pixel_type: PixelType = "uint8"
    options: tuple[tuple[str, Option], ...] = ()

    def arguments_of(self, factory: Callable[..., Any]) -> dict[str, Any]:
        """Return what the factory of the architecture is called with; the shape of its images, if it takes that."""
        shape = {"image_shape": self.network_shape} if "image_shape" in signature(factory).parameters else {}
        dropout = {} if self.dropout is None else {"dropout": self.dropout}
        return {"classes": self.classes, **shape, **dropout, **dict(self.options)}

    @property
    def network_shape(self) -> ImageShape:
        """The height, the width and the channels of what the network gets."""
        height, width, channels = self.image_shape
        return self.size or height, self.size or width, self.channels or channels

    @property
    def takes_images_as_they_are(self) -> bool:
        """Whether the network gets the scaled images, neither enlarged nor with other channels."""
        return self.network_shape == self.image_shape

    @property
    def predict_batch(self) -> int:
        """How many images a forward pass in evaluation takes: fewer if they are enlarged, for they need memory."""
        return max(1, PREDICT_BATCH * math.prod(self.image_shape[:2]) // math.prod(self.network_shape[:2]))


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


class Model(Protocol):
    """A model of either framework, holding its weights, on its device."""

    def parameters(self) -> list[Parameter]:
        """Return the parameters and the state, such as running means, in the order of the layers.

        Raises:
            TandemError: a layer has an array that the project doesn't know.
        """

    def get_weights(self) -> Weights:
        """Return a copy of parameters and state, by name and in the shapes of `parameters`."""

    def set_weights(self, weights: Weights) -> None:
        """Load such weights."""

    def predict(self, images: Images) -> Logits:
        """Return the logits, float32 (n, classes), for images (n, height, width, channels); dropout is off."""

    def save(self, folder: Path) -> None:
        """Write the model, in the framework's own format, into an existing folder: a `SavedModel` loads it.

        Raises:
            Exception: the framework's own; it can't save such a network.
        """

    def load(self, folder: Path) -> None:
        """Load parameters and state from a folder that a model of the same network was saved into, in any precision.

        The folder is one of `save`, or `data` of a model in MLflow.

        Raises:
            Exception: the framework's own; the file is missing or damaged, or an array is missing or of another shape.
        """

    def native(self) -> object:
        """Return the framework's own model (an `nn.Module` in evaluation mode, a `keras.Model`)."""

    def native_input(self, images: Images) -> Images:
        """Return images (n, height, width, channels) in the shape that the native model takes."""


ModelT = TypeVar("ModelT", bound=Model)


class SavedModel(Protocol):
    """A model as `Model.save` wrote it, with its scaling, for predictions alone; the class of `backend/saved.py`.

    `image_shape` is (height, width, channels), `dtype` that of the pixels that it takes.
    """

    image_shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]

    def __init__(self, folder: Path) -> None:
        """Load the model from its folder; one of Keras with classes of its own needs their module imported.

        Raises:
            Exception: the framework's own; the file is missing or damaged, or needs a class that isn't known.
        """

    def predict(self, images: npt.NDArray[np.generic]) -> Logits:
        """Return the logits, float32 of shape (n, classes), for images (n, height, width, channels), at least one."""


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


def model_settings(recipe: Recipe, dataset: Dataset, precision: Precision = "float32") -> ModelSettings:
    """Return what to build for a recipe on a dataset, with the statistics of the images that the recipe trains on."""
    scale, offset = scaling_of(recipe, dataset)
    takes = input_of(recipe.architecture)
    return ModelSettings(
        recipe.architecture,
        dataset.image_shape,
        dataset.classes,
        recipe.dropout,
        scale,
        offset,
        precision,
        size=recipe.image_size or takes.size,
        channels=takes.channels,
        freeze=tuple(recipe.freeze),
        options=recipe.option_pairs,
        pixel_type=dataset.pixel_type,
    )
