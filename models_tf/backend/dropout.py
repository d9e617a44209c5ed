"""Dropout whose rate is a variable: one traced graph serves every rate above 0."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers


class Rate:
    """The rate that all dropout layers of a model share; the layers read it whenever they run.

    Keras bakes a rate into the graph, and multiplies by 1 / (1 - rate) what is kept. Given a tensor, TensorFlow's own
    dropout would divide by 1 - rate instead, which rounds otherwise: the factor is a variable too.
    """

    def __init__(self, dropouts: Sequence[layers.Dropout]) -> None:
        self.layers = dropouts
        self.rate = tf.Variable(0.0, trainable=False, dtype=dropouts[0].compute_dtype)
        self.factor = tf.Variable(0.0, trainable=False, dtype=dropouts[0].compute_dtype)
        self.set(dropouts[0].rate)
        for layer in dropouts:
            # The layer stays Keras's own, so that a saved model loads anywhere.
            layer.call = self._call_of(layer)

    def set(self, rate: float) -> None:
        """Change the rate of all layers."""
        for layer in self.layers:
            layer.rate = rate
        self.rate.assign(rate)
        self.factor.assign(1 / (1 - rate))

    def _call_of(self, layer: layers.Dropout) -> Callable[..., tf.Tensor]:
        def call(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
            if not training:
                return type(layer).call(layer, inputs, training=False)
            # bfloat16 has 128 numbers from ½ to 1: too few for a rate.
            drawn = keras.random.uniform(tf.shape(inputs), dtype=self.rate.dtype, seed=layer.seed_generator)
            return tf.where(drawn >= self.rate, inputs * tf.cast(self.factor, inputs.dtype), tf.zeros((), inputs.dtype))

        return call


def shared_rate(dropouts: Sequence[layers.Dropout], rate: float | None) -> Rate | None:
    """Return the rate as a variable if all layers have it, and no `noise_shape`, which only Keras looks after."""
    if dropouts and all(layer.rate == rate and layer.noise_shape is None for layer in dropouts):
        return Rate(dropouts)
    return None


def differ_in_rates_only(network: keras.Model, other: keras.Model) -> bool:
    """Return whether two networks of Keras's own classes are the same but for the rates of their dropout layers.

    What a class of one's own does with its settings can't be known.
    """
    try:
        one, two = (_without_rates(keras.saving.serialize_keras_object(each)) for each in (network, other))
    except (NotImplementedError, _NotOfKeras):
        return False
    return bool(one == two)


class _NotOfKeras(Exception):
    pass


def _without_rates(config: Any) -> Any:
    """Return a serialised object without the rates of dropout layers."""
    if isinstance(config, list | tuple):
        return [_without_rates(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not str(config.get("module", "keras")).startswith("keras"):
        raise _NotOfKeras
    if config.get("class_name") == "Dropout":
        config = config | {"config": config["config"] | {"rate": None}}
    return {name: _without_rates(value) for name, value in config.items()}
