"""The layers of a Keras model, their outputs, and gradients: `experiments.contract.layers.Inspection`."""

from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers as kl

from experiments.contract.layers import Kind, Layer
from experiments.contract.weights import FloatArray, Weights
from experiments.data.dataset import Images, Labels
from models_tf.backend.arrays import owned
from models_tf.backend.flattened import by_channel, flattened
from models_tf.backend.model import KerasModel
from models_tf.backend.normalisation import BatchNormalization
from models_tf.backend.padding import Conv2D, MaxPooling2D
from models_tf.backend.trace import Call, trace
from models_tf.backend.training import batch_loss

KINDS: dict[type[kl.Layer], Kind] = {
    kl.Conv2D: "convolution",
    kl.Dense: "dense",
    kl.MaxPooling2D: "max pooling",
    kl.AveragePooling2D: "average pooling",
    kl.ZeroPadding2D: "zero padding",
    kl.Flatten: "flatten",
    kl.ReLU: "relu",
    kl.Dropout: "dropout",
    kl.BatchNormalization: "batch normalisation",
    BatchNormalization: "batch normalisation",
    Conv2D: "convolution",
    MaxPooling2D: "max pooling",
}


def layers(model: KerasModel) -> list[Layer]:
    """Return the layers in the order in which they run, with the shapes of one image."""
    return [
        replace(_describe(call), parameters=sum(int(np.prod(variable.shape)) for variable in own if variable.trainable))
        for call, own in owned(_trace(model, model.blank(), training=False))
    ]


def activations(model: KerasModel, images: Images) -> Weights:
    """Return the scaled images as `input`, and the output of every layer by its path, with dropout off."""
    calls = _trace(model, images, training=False)
    shapes = flattened(calls)
    return {"input": _to_torch(calls[0].input)} | {call.path: _output(call, shapes.get(call.path)) for call in calls}


def dropouts(model: KerasModel, images: Images, *, training: bool) -> dict[str, tuple[FloatArray, ...]]:
    """Return the input and the output of every dropout layer, by its path."""
    calls = _trace(model, images, training=training)
    return {c.path: (c.input.numpy(), c.output.numpy()) for c in calls if isinstance(c.layer, kl.Dropout)}


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


def _output(call: Call, flattened_input: tuple[int, int, int] | None) -> FloatArray:
    if isinstance(call.layer, kl.Flatten) and len(call.input.shape) == 4:
        return by_channel(call.output.numpy(), tuple(call.input.shape[1:]))
    if flattened_input is not None and not isinstance(call.layer, kl.Dense):
        return by_channel(call.output.numpy(), flattened_input)
    return _to_torch(call.output)


def _shape(value: tf.Tensor) -> tuple[int, ...]:
    *sizes, channels = value.shape[1:]
    return (channels, *sizes)


def _describe(call: Call) -> Layer:
    layer = call.layer
    form: dict[str, Any] = {}
    if isinstance(layer, kl.Conv2D):
        form = {"kernel": layer.kernel_size[0], "stride": layer.strides[0], "features": layer.filters}
    if isinstance(layer, kl.MaxPooling2D | kl.AveragePooling2D):
        form = {"kernel": layer.pool_size[0], "stride": layer.strides[0]}
    if isinstance(layer, kl.Dense):
        form = {"features": layer.units}
    if isinstance(layer, kl.ZeroPadding2D):
        form = {"padding": layer.padding[0][0]}
    elif getattr(layer, "padding", "valid") == "same":
        form["padding"] = "same"
    if getattr(layer, "pads", None):
        form["padding"] = layer.pads[0]
    if isinstance(layer, kl.Conv2D | kl.Dense):
        form["weights"] = int(np.prod(layer.kernel.shape))
    return Layer(call.path, KINDS.get(type(layer), "block"), _shape(call.input), _shape(call.output), **form)
