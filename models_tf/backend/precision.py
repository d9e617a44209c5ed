"""What a training step computes in: `precision` of a recipe. `models_torch.backend.precision` does the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from experiments.settings.recipe import Arithmetic
from models_tf.backend.model import KerasModel
from models_tf.backend.trace import trace

MIXED = "mixed_bfloat16"


@contextmanager
def tracing_in(precision: Arithmetic, model: KerasModel) -> Iterator[None]:
    """Let the layers of a model compute in bfloat16 in what is traced inside, if that is the precision.

    With Keras's policy `mixed_bfloat16`, a layer casts its input and its weights; the weights stay float32.
    Normalisations compute in float32 and give bfloat16. Scaling and enlarging come before the network. Afterwards
    the model is as it was: what it predicts, and the file that it is saved to, are float32.
    """
    layers = _layers(model) if precision == "bfloat16" else []
    policies = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = MIXED
    try:
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy


def _layers(model: KerasModel) -> list[keras.layers.Layer]:
    """Return the network and every layer in it that runs, those of an attention or of a recurrent layer included."""
    images = model.native_input(model.blank())
    calls = trace(model.module, model.network, images, training=False, inner=True)
    return list({id(layer): layer for layer in (model.network, *(call.layer for call in calls))}.values())


def use_tensor_float_32(precision: Arithmetic) -> None:
    """Let matrix products and convolutions on a GPU round to TensorFloat-32 from now on, if that is the precision."""
    tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")
