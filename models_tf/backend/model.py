"""A Keras model, as the rest of the project sees it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from experiments.contract.examples import factory_of
from experiments.contract.freezing import frozen_layers
from experiments.contract.model import Logits
from experiments.contract.model_settings import ModelSettings, Precision
from experiments.contract.weights import Parameter, Weights
from experiments.data.dataset import Images
from models_tf import ARCHITECTURES
from models_tf.backend.arrays import LayerArrays, arrays_of
from models_tf.backend.dropout import Rate, differ_in_rates_only, shared_rate
from models_tf.backend.enlarging import enlarging
from models_tf.backend.flattened import by_channel, by_pixel, flattened
from models_tf.backend.trace import trace


class KerasModel:
    """Implements `experiments.contract.model.Model`."""

    def __init__(self, settings: ModelSettings) -> None:
        use_precision(settings.precision)
        self.settings = settings
        self.network = _build(settings)
        # The architecture behind the scaling of its pixels: images (n, height, width, channels) → logits (n, classes).
        self.module = keras.Sequential(
            [
                keras.Input(settings.image_shape, dtype=settings.pixel_type, name="images"),
                # NumPy's numbers: Keras rounds Python's to float32 even where it computes in float64.
                layers.Rescaling(_float64(settings.scale), _float64(settings.offset), name="scale"),
                *enlarging(settings),
                self.network,
            ],
            name="classifier",
        )
        calls = trace(self.module, self.network, self.native_input(self.blank()), training=False)
        self._layers = {call.path: call.layer for call in calls}
        for path in frozen_layers(self._layers, settings.freeze):
            self._layers[path].trainable = False  # a normalisation then stays in evaluation mode, too
        self._arrays = arrays_of(calls)
        self._flattened = flattened(calls)
        self._rate = self._shared_rate()
        self._any_rate = False
        # What has traced the training of this model, see `models_tf.backend.training`.
        self.trainee: keras.Model | None = None
        self._initial = [(variable, variable.numpy()) for variable in self.module.variables]
        self._predict = tf.function(
            lambda images: self.module(images, training=False),
            input_signature=[tf.TensorSpec((None, *settings.image_shape), settings.pixel_type)],
        )

    def renew(self, settings: ModelSettings) -> bool:
        """Become the new model of these settings, with the graphs that are traced already; False: it can't."""
        use_precision(settings.precision)
        if replace(settings, dropout=self.settings.dropout) != self.settings or not self._set_rate(settings):
            return False
        for variable, value in self._initial:
            variable.assign(value)
        self.settings = settings
        return True

    def _set_rate(self, settings: ModelSettings) -> bool:
        if settings.dropout == self.settings.dropout:
            return True
        if self._rate is None or not settings.dropout:  # without dropout, or with a rate of 0, the graph is another
            return False
        # Once: that the rate of its dropout layers is all that the setting changes.
        self._any_rate = self._any_rate or differ_in_rates_only(self.network, _build(settings))
        if self._any_rate:
            self._rate.set(settings.dropout)
        return self._any_rate

    def parameters(self) -> list[Parameter]:
        """Return parameters and state, in the order of the layers."""
        return [parameter for layer in self._arrays for parameter in layer.parameters()]

    def get_weights(self) -> Weights:
        """Return a copy of parameters and state, in PyTorch's shapes."""
        return {
            f"{layer.path}/{name}": self._by_channel(layer, name, value)
            for layer in self._arrays
            for name, value in layer.values().items()
        }

    def in_torch_shapes(self, values: Mapping[int, tf.Tensor]) -> Weights:
        """Return values for variables, given by the variable's id, by name and in PyTorch's shapes."""
        weights: Weights = {}
        for layer in self._arrays:
            # The gradient of an embedding is a tensor of the rows that were looked up.
            own = {
                n: tf.convert_to_tensor(values[id(v)]).numpy() for n, v in layer.variables.items() if id(v) in values
            }
            for name, value in layer.in_torch(own).items():
                weights[f"{layer.path}/{name}"] = self._by_channel(layer, name, value)
        return weights

    def set_weights(self, weights: Weights) -> None:
        """Load parameters and state of PyTorch's shapes."""
        for layer in self._arrays:
            names = {name: weights[f"{layer.path}/{name}"] for name in layer.values()}
            shape = self._flattened.get(layer.path)
            layer.assign({n: by_pixel(v, shape) if shape and layer.sees_input(n) else v for n, v in names.items()})

    def _by_channel(self, layer: LayerArrays, name: str, value: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return an array; if it has one value for each feature of a flattened image, in PyTorch's order of those."""
        shape = self._flattened.get(layer.path)
        return by_channel(value, shape) if shape and layer.sees_input(name) else value

    def predict(self, images: Images) -> Logits:
        """Return the logits, float32 of shape (n, classes)."""
        size = self.settings.predict_batch
        parts = [
            self._predict(self.native_input(images[start : start + size])).numpy()
            for start in range(0, len(images), size)
        ]
        return np.concatenate(parts)

    def native_input(self, images: Images) -> Images:
        """Return images (n, height, width, channels) as they are, copied."""
        return np.array(images)

    def blank(self) -> Images:
        """Return one black image, (1, height, width, channels), for tracing shapes."""
        return np.zeros((1, *self.settings.image_shape), self.settings.pixel_type)

    def layer(self, path: str) -> layers.Layer:
        """Return the layer at a path; a block's layers follow its name (`inception1/pool`)."""
        return self._layers[path]

    def random_states(self) -> list[keras.Variable]:
        """Return the states of the generators that layers draw from (those of rate 0 have none), in their order."""
        weights = {id(variable) for variable in self.network.weights}
        return [variable for variable in self.network.variables if id(variable) not in weights]

    def _shared_rate(self) -> Rate | None:
        """Return the rate as a variable, where all that is random is dropout of that rate."""
        dropouts = [layer for layer in self._layers.values() if type(layer) is layers.Dropout and layer.rate > 0]
        alone = len(dropouts) == len(self.random_states())
        return shared_rate(dropouts, self.settings.dropout) if alone else None

    def native(self) -> keras.Model:
        """Return the model with its scaling."""
        return self.module

    def save(self, folder: Path) -> None:
        """Write the model to model.keras, for `keras.models.load_model`."""
        self.module.save(folder / "model.keras")

    def load(self, folder: Path) -> None:
        """Load the arrays of model.keras, in the precision of this model.

        In float32, which is the file's, the network in the file is compared with this one: it gives the same bits.
        """
        file = folder / "model.keras"
        self.module.load_weights(file)
        if self.settings.precision == "float32":
            generator = np.random.default_rng(0)
            kind = np.dtype(self.settings.pixel_type)
            images = generator.integers(0, np.iinfo(kind).max, (8, *self.settings.image_shape), kind, endpoint=True)
            there = keras.models.load_model(file, compile=False)(images, training=False)
            if not np.array_equal(there, self.module(images, training=False), equal_nan=True):
                raise ValueError("the network in model.keras gives other outputs than the one that is built today")


def _float64(value: float | tuple[float, ...]) -> npt.NDArray[np.float64] | np.float64:
    return np.array(value, np.float64)[()]


def _build(settings: ModelSettings) -> keras.Model:
    build = factory_of(ARCHITECTURES, settings.architecture)
    return cast(keras.Model, build(**settings.arguments_of(build)))


def use_precision(precision: Precision) -> None:
    """Set the precision in which all that Keras creates from now on (layers, losses, optimisers) computes."""
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
