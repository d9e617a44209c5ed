"""Bugs in single layers, planted in their examples or in how their weights are converted."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from typing import Any
from unittest.mock import patch

import numpy as np

from experiments.frameworks import PACKAGES
from experiments.settings.recipe import BackendName

Bug = Callable[[], AbstractContextManager[Any]]


def other_example(backend: BackendName, layer: str, make: Callable[[], Callable[..., Any]]) -> Any:
    """Another call in the place of a layer's; `make` imports what it needs, in the framework's process."""
    examples = import_module(f"{PACKAGES[backend]}.layer_examples")
    return patch.dict(examples.EXAMPLES[examples.given_to(layer)], {layer: make()})


def gru_gates_in_the_order_of_keras() -> Any:
    return patch("models_tf.backend.conversion._gates", lambda value: value)


def both_biases_trained() -> Callable[[], Any]:
    from models_torch.backend.recurrent import LSTM

    def lstm() -> Any:
        layer = LSTM(8, 6)
        layer.get_parameter("bias_hh_l0").requires_grad_(True)
        return layer

    return lstm


def keras_layer(name: str, *args: Any, **options: Any) -> Callable[[], Any]:
    """Keras's own layer, for `other_example`."""
    from keras import layers

    return lambda: getattr(layers, name)(*args, **options)


def attention_without_scaling() -> Callable[[], Any]:
    from keras import layers

    from models_tf.layer_examples import of_itself

    def attention() -> Any:
        layer = layers.MultiHeadAttention(2, key_dim=4)
        network = of_itself(layer, (28, 8))
        setattr(layer, "_inverse_sqrt_key_dim", 1.0)  # noqa: B010 - there is no public name
        return network

    return attention


def heads_transposed() -> Any:
    """The queries' features are taken for (size, heads), loaded and read back alike."""
    from models_tf.backend.conversion import Conversion, Values, attention

    def turned(values: Values) -> Values:
        query = values["query/kernel"]
        features, heads, size = query.shape
        return {**values, "query/kernel": query.reshape(features, size, heads).transpose(0, 2, 1)}

    def turned_back(values: Values) -> Values:
        query = values["query/kernel"]
        return {**values, "query/kernel": query.transpose(0, 2, 1).reshape(query.shape)}

    return converted(
        "MultiHeadAttention",
        Conversion(
            attention.names,
            lambda values: attention.to_torch(turned_back(values)),
            lambda values, shapes: dict(turned(attention.from_torch(values, shapes))),
        ),
    )


def embedding_transposed() -> Any:
    return embedding(lambda value: value.T.reshape(value.shape), lambda value, shape: value.reshape(shape[::-1]).T)


def embedding_offset() -> Any:
    return embedding(lambda value: np.roll(value, 1, 0), lambda value, shape: np.roll(value, -1, 0))


def embedding(to_torch: Any, from_torch: Any) -> Any:
    from models_tf.backend.conversion import Axes, renamed

    return converted("Embedding", renamed({"embeddings": Axes(to_torch, from_torch)}, embeddings="weight"))


def converted(kind: str, conversion: Any) -> Any:
    from keras import layers

    from models_tf.backend.arrays import LAYER_ARRAYS

    layer = getattr(layers, kind)
    return patch.dict(LAYER_ARRAYS, {layer: (LAYER_ARRAYS[layer][0], conversion)})


def dropout_of(kind: str, forward: Callable[[Any, Any], Any]) -> Any:
    from torch import nn

    return patch.object(getattr(nn, kind), "forward", forward)


def by_element(layer: Any, inputs: Any) -> Any:
    from torch.nn.functional import dropout

    return dropout(inputs, layer.p, layer.training)


def not_made_affine(layer: Any, inputs: Any) -> Any:
    """What alpha dropout drops is right before the last step, which keeps mean and variance."""
    import torch

    if not layer.training or not layer.p:
        return inputs
    return torch.where(torch.rand_like(inputs) >= layer.p, inputs, -1.7580993408473766)


def dropout_of_steps() -> Callable[..., Any]:
    from torch import nn

    return nn.Dropout1d


def in_keras(layer: str, name: str, *args: Any, **options: Any) -> tuple[str, Bug]:
    return "keras", partial(other_example, "keras", layer, partial(keras_layer, name, *args, **options))


LAYER_BUGS: Mapping[str, tuple[str, Bug]] = {
    "gates of a GRU": ("keras", gru_gates_in_the_order_of_keras),
    "both biases of an LSTM": ("lightning", partial(other_example, "lightning", "lstm", both_biases_trained)),
    "epsilon of Keras's LayerNorm": in_keras("layer-norm", "LayerNormalization"),
    "other groups": in_keras("group-norm", "GroupNormalization", 2, epsilon=1e-5),
    "slope of Keras": in_keras("leaky-relu", "LeakyReLU"),
    "slope rounded to float32": in_keras("leaky-relu", "LeakyReLU", 0.01),
    "GELU rounded to float32": in_keras("gelu", "Activation", "gelu"),
    "asymmetric padding": in_keras("convolution-strided", "Conv2D", 4, 3, strides=2, padding="same"),
    "dilation ignored": in_keras("convolution-dilated", "Conv2D", 4, 3),
    "one slope for all": in_keras("prelu-per-channel", "PReLU", shared_axes=[1, 2, 3]),
    "attention without scaling": ("keras", partial(other_example, "keras", "attention", attention_without_scaling)),
    "heads transposed": ("keras", heads_transposed),
    "embedding transposed": ("keras", embedding_transposed),
    "embedding offset": ("keras", embedding_offset),
    "channels dropped in part": ("lightning", partial(dropout_of, "Dropout2d", by_element)),
    "alpha dropout that drops to 0": ("lightning", partial(dropout_of, "AlphaDropout", by_element)),
    "alpha dropout not made affine": ("lightning", partial(dropout_of, "AlphaDropout", not_made_affine)),
    "steps dropped": ("lightning", partial(other_example, "lightning", "channel-dropout-1d", dropout_of_steps)),
}
