"""What a model of either framework offers: one that is trained, and one that was saved."""

from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from experiments.contract.weights import Parameter, Weights
from experiments.data.dataset import Images

Logits = npt.NDArray[np.float32]
# How many of the dataset's images a saved model takes at once, which doesn't say whether it enlarges them.
SAVED_BATCH = 100


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
