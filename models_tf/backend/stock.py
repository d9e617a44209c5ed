"""A model of Keras's own layers alone, which loads where Tandem's classes aren't: the same numbers in evaluation."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from keras import KerasTensor, layers, ops

from experiments.data.enlarging import bilinear
from experiments.system.errors import TandemError
from models_tf.backend.activations import GELU, LeakyReLU
from models_tf.backend.enlarging import Enlarge
from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D
from models_tf.backend.positions import Positions

Rewriting = Callable[[Any], layers.Layer]
RECURRENT = (layers.LSTM, layers.GRU, layers.SimpleRNN)


def made_of_stock(model: keras.Model) -> keras.Model:
    """Return a model as it is, if all of its layers are Keras's own, or one in which such layers stand in for others.

    Raises:
        TandemError: there is a layer that these can't stand in for.
    """
    own = [layer for layer in _layers_of(model) if not type(layer).__module__.startswith("keras.")]
    if unknown := [layer for layer in own if type(layer) not in STOCK]:
        names = ", ".join(dict.fromkeys(f"{layer.name} ({type(layer).__name__})" for layer in unknown))
        raise TandemError(
            f"expected layers that Keras has, too; got {names}, a class of its own, which has to be "
            "imported before the file is loaded; saved-model, onnx and tflite hold it"
        )
    return _rewritten(model, STOCK) if own else model


def unrolled(model: keras.Model) -> keras.Model:
    """Return a model whose recurrent layers are written out step by step; as it is, if there are none.

    TensorFlow Lite has no list of tensors of unknown size, which a loop over any number of images needs.
    """
    if not any(type(layer) in RECURRENT for layer in _layers_of(model)):
        return model
    return _rewritten(model, dict.fromkeys(RECURRENT, _unrolled))


def _unrolled(layer: layers.Layer) -> layers.Layer:
    made: layers.Layer = type(layer).from_config(layer.get_config() | {"unroll": True})
    return made


def _layers_of(layer: layers.Layer) -> Iterator[layers.Layer]:
    """Yield all layers of a model, those of models inside of it too; and a model itself that isn't Keras's own."""
    if not isinstance(layer, keras.Model) or not type(layer).__module__.startswith("keras."):
        yield layer
    if isinstance(layer, keras.Model):
        for part in layer.layers:
            yield from _layers_of(part)


def _rewritten(model: keras.Model, rewritings: dict[type[layers.Layer], Rewriting]) -> keras.Model:
    def clone(layer: layers.Layer) -> layers.Layer:
        rewrite = rewritings.get(type(layer))
        return rewrite(layer) if rewrite else type(layer).from_config(layer.get_config())

    made = keras.models.clone_model(model, clone_function=clone, recursive=True)
    made.set_weights(model.get_weights())
    return made


def _function(layer: layers.Layer, compute: Callable[[KerasTensor], KerasTensor]) -> keras.Model:
    """Return a model that computes something from what a layer takes."""
    inputs = keras.Input(layer.input.shape[1:], dtype=layer.compute_dtype)
    return keras.Model(inputs, compute(inputs), name=layer.name)


def _convolution(layer: Conv2D) -> layers.Layer:
    stock = layers.Conv2D.from_config(layer.get_config() | {"padding": layer.padding})
    if layer.padding == "same" or not any(layer.pads or ()):
        return stock
    return keras.Sequential([layers.ZeroPadding2D(layer.pads), stock], name=layer.name)


def _max_pooling(layer: MaxPooling2D) -> layers.Layer:
    stock = layers.MaxPooling2D.from_config(layer.get_config() | {"padding": layer.padding})
    if layer.pads is None or not any(layer.pads):
        return stock
    (height, width), lowest = layer.pads, float(tf.as_dtype(layer.compute_dtype).min)
    around = ((0, 0), (height, height), (width, width), (0, 0))
    return _function(layer, lambda images: stock(ops.pad(images, around, constant_values=lowest)))


def _positions(layer: Positions) -> layers.Layer:
    stock = layers.Embedding.from_config(layer.get_config())
    return _function(layer, lambda tokens: tokens + stock(ops.cumsum(ops.ones_like(tokens[:, :, 0], "int32"), 1) - 1))


def _enlarging(layer: Enlarge) -> layers.Layer:
    sizes = zip(layer.input.shape[1:3], layer.new, strict=True)
    rows, columns = (bilinear(old, new).astype(layer.compute_dtype) for old, new in sizes)
    copies = (1, 1, 1, layer.channels // layer.input.shape[-1])
    return _function(layer, lambda images: ops.tile(ops.einsum("ih,nhwc,jw->nijc", rows, images, columns), copies))


STOCK: dict[type[layers.Layer], Rewriting] = {
    BatchNormalization: lambda layer: layers.BatchNormalization.from_config(layer.get_config()),
    Conv2D: _convolution,
    Enlarge: _enlarging,
    GELU: lambda layer: _function(layer, lambda inputs: ops.gelu(inputs, approximate=layer.approximate)),
    LeakyReLU: lambda layer: layers.LeakyReLU.from_config(layer.get_config()),
    MaxPooling2D: _max_pooling,
    Positions: _positions,
}
