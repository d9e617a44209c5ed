"""A Keras model, as the rest of the project sees it."""

import pkgutil
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from experiments.backend import Logits, ModelSettings
from experiments.dataset import Images
from experiments.initialise import Parameter, Weights, fans
from models_tf import ARCHITECTURES

PREDICT_BATCH = 1000
_NAMES = {"kernel": "weight", "bias": "bias"}


class KerasModel:
    """Meets `experiments.backend.Model`."""

    def __init__(self, settings: ModelSettings) -> None:
        build = pkgutil.resolve_name(ARCHITECTURES[settings.architecture])
        options = {} if settings.dropout is None else {"dropout": settings.dropout}
        self.network: keras.Model = build(classes=settings.classes, **options)
        # The architecture behind the scaling of its pixels: uint8 (n, height, width, 1) → logits (n, classes).
        self.module = keras.Sequential(
            [
                keras.Input((*settings.image_shape, 1), dtype="uint8", name="images"),
                layers.Rescaling(settings.scale, settings.offset, name="scale"),
                self.network,
            ],
            name="classifier",
        )
        self._flattened = _flattened(self.network)
        self._predict = tf.function(
            lambda images: self.module(images, training=False),
            input_signature=[tf.TensorSpec((None, *settings.image_shape, 1), tf.uint8)],
        )

    def _named(self) -> dict[str, keras.Variable]:
        named = {}
        for variable in self.network.trainable_variables:
            *layer, name = variable.path.removeprefix(f"{self.network.name}/").split("/")
            named["/".join([*layer, _NAMES[name]])] = variable
        return named

    def parameters(self) -> list[Parameter]:
        """Return the trainable parameters, in the order of the layers."""
        weights = self.get_weights()
        layers_fans = {name: fans(weights[f"{name.rpartition('/')[0]}/weight"].shape) for name in weights}
        return [Parameter(name, value.shape, *layers_fans[name]) for name, value in weights.items()]

    def get_weights(self) -> Weights:
        """Return a copy of the weights, in PyTorch's shapes."""
        return {name: self._to_torch(name, value.numpy()) for name, value in self._named().items()}

    def set_weights(self, weights: Weights) -> None:
        """Load weights of PyTorch's shapes."""
        for name, value in self._named().items():
            value.assign(self._from_torch(name, weights[name]))

    def _to_torch(self, name: str, value: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if value.ndim == 4:  # (height, width, in, out) → (out, in, height, width)
            value = value.transpose(3, 2, 0, 1)
        elif name in self._flattened:  # inputs by pixel, then channel → by channel, then pixel
            value = value.reshape(*self._flattened[name], -1).transpose(3, 2, 0, 1).reshape(value.shape[1], -1)
        elif value.ndim == 2:  # (in, out) → (out, in)
            value = value.T
        return value.copy(order="C")

    def _from_torch(self, name: str, value: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if value.ndim == 4:
            return value.transpose(2, 3, 1, 0)
        if name in self._flattened:
            height, width, channels = self._flattened[name]
            return value.reshape(-1, channels, height, width).transpose(2, 3, 1, 0).reshape(-1, value.shape[0])
        return value.T if value.ndim == 2 else value

    def predict(self, images: Images) -> Logits:
        """Return the logits, float32 of shape (n, classes)."""
        parts = [
            self._predict(self.native_input(images[start : start + PREDICT_BATCH])).numpy()
            for start in range(0, len(images), PREDICT_BATCH)
        ]
        return np.concatenate(parts)

    def native_input(self, images: Images) -> npt.NDArray[np.uint8]:
        """Return uint8 images (n, height, width) as (n, height, width, 1), in memory of their own."""
        return np.array(images[..., np.newaxis], np.uint8)

    def native(self) -> keras.Model:
        """Return the model with its scaling."""
        return self.module

    def save(self, folder: Path) -> None:
        """Write the model to model.keras, to be loaded with `keras.models.load_model`."""
        self.module.save(folder / "model.keras")


def _flattened(network: keras.Model) -> dict[str, tuple[int, int, int]]:
    """Return, for the weight of each dense layer behind a flatten, the (height, width, channels) that it takes."""
    found: dict[str, tuple[int, int, int]] = {}
    shape = None
    for layer in network.layers:
        if isinstance(layer, layers.Flatten):
            shape = layer.input.shape[1:]
        elif isinstance(layer, layers.Dense):
            if shape is not None:
                found[f"{layer.name}/weight"] = shape
            shape = None
    return found
