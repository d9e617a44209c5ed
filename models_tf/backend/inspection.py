"""The layers of a Keras model, their outputs, and gradients: `experiments.contract.layers.Inspection`."""

from dataclasses import replace

import numpy as np
import tensorflow as tf
from keras import layers as kl

from experiments.contract.layers import Layer, with_blocks
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels
from models_tf.backend.arrays import owned
from models_tf.backend.flattened import by_channel, flattened
from models_tf.backend.kinds import DROPOUTS, kind_of
from models_tf.backend.model import KerasModel
from models_tf.backend.trace import Call, trace
from models_tf.backend.training import batch_loss
from models_tf.backend.windows import window_of


def layers(model: KerasModel) -> list[Layer]:
    """Return the layers in the order in which they run, with the shapes of one image."""
    described = [
        replace(_describe(call), parameters=sum(int(np.prod(variable.shape)) for variable in own if variable.trainable))
        for call, own in owned(_trace(model, model.blank(), training=False))
    ]
    return with_blocks(described)


def activations(model: KerasModel, images: Images) -> Weights:
    """Return the scaled images as `input`, and the output of every layer by its path, with dropout off."""
    calls = _trace(model, images, training=False)
    shapes = flattened(calls)
    return {"input": _to_torch(calls[0].input)} | {call.path: _output(call, shapes.get(call.path)) for call in calls}


def dropouts(model: KerasModel, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
    """Return the input and the output of every dropout layer, by its path; channels come second."""
    calls = [call for call in _trace(model, images, training=training) if kind_of(call.layer) in DROPOUTS]
    return {call.path: (_channels_second(call.input), _channels_second(call.output)) for call in calls}


def loss_and_gradients(model: KerasModel, images: Images, labels: Labels) -> tuple[float, Weights]:
    """Return the mean loss of a batch, and its gradient by the names and in the shapes of the parameters."""
    variables = model.network.trainable_variables
    with tf.GradientTape() as tape:
        logits = model.module(model.native_input(images), training=True)
        loss = batch_loss()(tf.constant(labels, tf.int64), logits)
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    by_id = dict(zip((id(variable) for variable in variables), gradients, strict=True))
    return float(loss), model.in_torch_shapes(by_id)


def _trace(model: KerasModel, images: Images, *, training: bool) -> list[Call]:
    return trace(model.module, model.network, model.native_input(images), training=training)


def _to_torch(value: tf.Tensor) -> FloatArray:
    """Return the value with its axes in PyTorch's order: (n, h, w, c) → (n, c, h, w)."""
    array = value.numpy()
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2) if array.ndim == 4 else array)


def _channels_second(value: tf.Tensor) -> FloatArray:
    """Return the value with its last axis after the first: (n, h, w, c) → (n, c, h, w), (n, t, c) → (n, c, t)."""
    return np.moveaxis(value.numpy(), -1, 1)


def _output(call: Call, flattened_input: tuple[int, int, int] | None) -> FloatArray:
    if isinstance(call.layer, kl.Flatten) and len(call.input.shape) == 4:
        return by_channel(call.output.numpy(), tuple(call.input.shape[1:]))
    mixed = isinstance(call.layer, kl.Dense) or call.output.shape != call.input.shape
    if flattened_input is not None and not mixed:
        return by_channel(call.output.numpy(), flattened_input)
    return _to_torch(call.output)


def _shape(value: tf.Tensor) -> tuple[int, ...]:
    sizes = tuple(value.shape[1:])
    return (sizes[2], sizes[0], sizes[1]) if len(sizes) == 3 else sizes


def _describe(call: Call) -> Layer:
    layer, form = call.layer, window_of(call.layer)
    if isinstance(layer, kl.Dense | kl.LSTM | kl.GRU):
        form["features"] = layer.units
    if isinstance(layer, kl.SpatialDropout1D | kl.SpatialDropout2D):
        form["features"] = int(call.input.shape[-1])
    if isinstance(layer, kl.Embedding):
        form["features"] = layer.output_dim
    kind = kind_of(layer)
    if kind in ("dense", "lstm", "gru", "attention") or "convolution" in kind:
        form["weights"] = sum(int(np.prod(one.shape)) for one in layer.weights if "kernel" in one.name)
    return Layer(call.path, kind, _shape(call.input), _shape(call.output), **form)
