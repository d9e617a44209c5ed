"""Which layers of a Keras model run, in which order, on which input: what forward hooks do in PyTorch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import tensorflow as tf
from keras import layers

from experiments.data.dataset import Images

# Layers made of layers that count as one, as they do in PyTorch.
WHOLE = (layers.RNN, layers.MultiHeadAttention)


@dataclass(frozen=True)
class Call:
    """One call of one layer in a forward pass; `path` is its name after those of the blocks around it."""

    path: str
    layer: layers.Layer
    input: tf.Tensor
    output: tf.Tensor


def trace(
    module: keras.Model, network: keras.Model, images: Images, *, training: bool, inner: bool = False
) -> list[Call]:
    """Return the calls of the layers of `network`, a part of `module`, while that runs on images (n, h, w, channels).

    `inner`: those of layers inside a layer that counts as one, too.

    Keras has no hooks, and the layers of a subclassed model are known only while it runs.
    """
    calls: list[Call] = []
    with _hook(network, calls, () if inner else WHOLE):
        module(images, training=training)
    return calls


@contextmanager
def _hook(network: keras.Model, calls: list[Call], whole: tuple[type[layers.Layer], ...]) -> Iterator[None]:
    original = layers.Layer.__call__
    around: list[layers.Layer] = []

    def call(layer: layers.Layer, *inputs: tf.Tensor, **options: object) -> tf.Tensor:
        inside = network in around and not any(isinstance(outer, whole) for outer in around)
        around.append(layer)
        try:
            output = original(layer, *inputs, **options)
        finally:
            path = [outer.name for outer in around[around.index(network) + 1 :]] if inside else []
            around.pop()
        if inside:
            calls.append(Call("/".join(path), layer, first_tensor((inputs, options)), first_tensor(output)))
        return output

    layers.Layer.__call__ = call
    try:
        yield
    finally:
        layers.Layer.__call__ = original


def first_tensor(value: object) -> tf.Tensor:
    """Return the first tensor of what a layer takes or gives: a tensor, or several in tuples, lists and dicts."""
    return next(one for one in tf.nest.flatten(value) if tf.is_tensor(one))
