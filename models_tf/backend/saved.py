"""A saved model by itself. Importing this registers the layers of Tandem's own, which Keras needs to load one."""

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.contract.model import SAVED_BATCH, Logits
from models_tf.backend.activations import GELU, LeakyReLU
from models_tf.backend.enlarging import Enlarge
from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D
from models_tf.backend.positions import Positions

__all__ = ["GELU", "BatchNormalization", "Conv2D", "Enlarge", "LeakyReLU", "MaxPooling2D", "Positions", "SavedModel"]

FILE = "model.keras"


class SavedModel:
    """Implements `experiments.contract.model.SavedModel`."""

    def __init__(self, folder: Path) -> None:
        model = keras.models.load_model(folder / FILE, compile=False)
        (taken,) = model.inputs
        self.image_shape: tuple[int, int, int] = tuple(taken.shape[1:])
        self.dtype: np.dtype[np.generic] = np.dtype(taken.dtype)
        signature = [tf.TensorSpec((None, *self.image_shape), taken.dtype)]
        self._run = tf.function(lambda images: model(images, training=False), input_signature=signature)

    def predict(self, images: npt.NDArray[np.generic]) -> Logits:
        """Return the logits, float32 of shape (n, classes), for images (n, height, width, channels)."""
        starts = range(0, len(images), SAVED_BATCH)
        return np.concatenate([self._run(images[start : start + SAVED_BATCH]).numpy() for start in starts])
