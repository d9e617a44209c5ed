"""Which arrays the layers of a Keras network have, trained or state, and how they become PyTorch's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from experiments.contract import arrays
from experiments.contract.arrays import ArraySpec, Shapes, refuse_arrays
from experiments.contract.weights import Parameter
from models_tf.backend import conversion
from models_tf.backend.conversion import Conversion, Values, attention, convolution, gru, renamed, transposed
from models_tf.backend.refusals import check_settings
from models_tf.backend.trace import Call

NORMALISATION = renamed(gamma="weight", beta="bias")
DENSE = renamed({"kernel": transposed}, kernel="weight", bias="bias")
CONVOLUTION = renamed({"kernel": convolution}, kernel="weight", bias="bias")
LSTM = renamed(
    {"kernel": transposed, "recurrent_kernel": transposed},
    kernel="weight_ih_l0",
    recurrent_kernel="weight_hh_l0",
    bias="bias_ih_l0",
)

# A class stands for those derived from it, too, unless they come before it.
LAYER_ARRAYS: dict[type[layers.Layer], tuple[tuple[ArraySpec, ...], Conversion]] = {
    layers.DepthwiseConv2D: (
        arrays.DEPTHWISE,
        renamed({"kernel": conversion.depthwise}, kernel="weight", bias="bias"),
    ),
    layers.Conv2D: (arrays.CONVOLUTION, CONVOLUTION),
    layers.Conv2DTranspose: (arrays.CONVOLUTION, CONVOLUTION),
    layers.Dense: (arrays.DENSE, DENSE),
    layers.BatchNormalization: (
        arrays.BATCH_NORMALISATION,
        renamed(gamma="weight", beta="bias", moving_mean="running_mean", moving_variance="running_var"),
    ),
    layers.LayerNormalization: (
        arrays.NORMALISATION,
        renamed({"gamma": conversion.of_images, "beta": conversion.of_images}, gamma="weight", beta="bias"),
    ),
    layers.GroupNormalization: (arrays.NORMALISATION, NORMALISATION),
    layers.PReLU: (arrays.PRELU, renamed({"alpha": conversion.per_channel}, alpha="weight")),
    layers.Embedding: (arrays.EMBEDDING, renamed(embeddings="weight")),
    layers.LSTM: (arrays.LSTM, LSTM),
    layers.GRU: (arrays.GRU, gru),
    layers.MultiHeadAttention: (arrays.ATTENTION, attention),
}


@dataclass(frozen=True)
class LayerArrays:
    """The arrays of a layer: Keras's variables, by Keras's names, and what they are in PyTorch."""

    path: str
    variables: Mapping[str, keras.Variable]
    specs: Mapping[str, ArraySpec]
    conversion: Conversion
    groups: int = 1

    def parameters(self) -> Iterator[Parameter]:
        """Yield the arrays as both frameworks know them."""
        values = self.values()
        shapes = Shapes({name: value.shape for name, value in values.items()}, self.groups)
        trained = self.conversion.to_torch(
            {name: np.full(variable.shape, variable.trainable) for name, variable in self.variables.items()}
        )
        for name in values:
            yield self.specs[name].parameter(self.path, shapes, trainable=bool(trained[name].all()))

    def values(self) -> Values:
        """Return a copy of the values, in PyTorch's names and shapes."""
        return self.in_torch({name: variable.numpy() for name, variable in self.variables.items()})

    def sees_input(self, name: str) -> bool:
        """Return whether the last axis of an array is that of the layer's input; a dense layer's bias has outputs."""
        return self.specs[name] is not arrays.BIAS

    def in_torch(self, values: Values) -> Values:
        """Return values of variables, or of some, in PyTorch's names, order and shapes."""
        converted = self.conversion.to_torch(values)
        return {name: converted[name].copy(order="C") for name in self.specs if name in converted}

    def assign(self, values: Values) -> None:
        """Load values in PyTorch's names and shapes."""
        converted = self.conversion.from_torch(values, {n: tuple(v.shape) for n, v in self.variables.items()})
        for name, variable in self.variables.items():
            variable.assign(converted[name])


def arrays_of(calls: Iterable[Call]) -> list[LayerArrays]:
    """Return the arrays of each layer that has some, trained or state, in the order of the layers.

    `calls` are those of a forward pass. The states of random generators aren't among them: they are set every epoch.

    Raises:
        TandemError: a layer has an array or a setting that isn't known.
    """
    return [_known(call, variables) for call, variables in owned(calls) if variables]


def owned(calls: Iterable[Call]) -> Iterator[tuple[Call, list[keras.Variable]]]:
    """Yield each call with the arrays of its layer itself, without those of layers inside of it."""
    seen: set[int] = set()
    for call in calls:  # a block's call ends after those of its layers
        check_settings(call.path, call.layer)
        own = [variable for variable in call.layer.weights if id(variable) not in seen]
        seen |= {id(variable) for variable in own}
        yield call, own


def kind_of(layer: layers.Layer) -> type[layers.Layer] | None:
    """Return the known class that a layer's class is derived from; None if there is none."""
    return next((kind for kind in LAYER_ARRAYS if isinstance(layer, kind)), None)


def is_depthwise(layer: layers.Layer) -> bool:
    """Return whether each output channel of a convolution with groups sees one input channel alone."""
    return getattr(layer, "groups", 1) > 1 and layer.kernel.shape[2] == 1


def _known(call: Call, variables: Iterable[keras.Variable]) -> LayerArrays:
    kind = kind_of(call.layer)
    specs, convert = LAYER_ARRAYS[kind] if kind else ((), renamed())
    if specs is arrays.CONVOLUTION and is_depthwise(call.layer):
        specs = arrays.DEPTHWISE
    own = _by_name(call.layer, variables)
    others = [one.name for one in variables if all(one is not known for known in own.values())]
    if unknown := [*(own.keys() - set(convert.names)), *others]:
        refuse_arrays(call.path, type(call.layer).__name__, unknown)
    groups = int(call.input.shape[-1]) if kind is layers.DepthwiseConv2D else getattr(call.layer, "groups", 1)
    return LayerArrays(call.path, own, {spec.name: spec for spec in specs}, convert, groups)


def _by_name(layer: layers.Layer, variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
    if isinstance(layer, layers.MultiHeadAttention):
        dense = {"query": layer.query_dense, "key": layer.key_dense, "value": layer.value_dense}
        dense["output"] = layer.output_dense
        return {f"{name}/{own.name}": own for name, part in dense.items() for own in part.weights}
    return {variable.name: variable for variable in variables}
