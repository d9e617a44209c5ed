"""The arrays that layers have, under PyTorch's names and in its shapes, and how each framework starts them.

The distributions are those of `reset_parameters` in torch.nn, and the default initialisers of keras.layers.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from experiments.contract.initial import Distribution, constant, glorot_uniform, uniform_by
from experiments.contract.weights import Parameter
from experiments.system.errors import TandemError


@dataclass(frozen=True)
class Shapes:
    """The shapes of a layer's arrays by their names, in PyTorch's order; `groups` are those of a convolution."""

    arrays: Mapping[str, tuple[int, ...]]
    groups: int = 1

    @property
    def fans(self) -> tuple[int, int]:
        """Return fan-in and fan-out of the weight: (out, in), or (out, in, height, width)."""
        out, inputs, *kernel = self.arrays["weight"]
        return inputs * math.prod(kernel), out * math.prod(kernel)


Initial = Callable[[Shapes], Distribution]


@dataclass(frozen=True)
class ArraySpec:
    """An array that a kind of layer has: its name after the layer's, and how each framework starts it."""

    name: str
    torch: Initial
    keras: Initial
    trainable: bool = True

    def parameter(self, layer: str, shapes: Shapes, *, trainable: bool) -> Parameter:
        """Return the parameter of a layer; `trainable` is False in a layer that is frozen."""
        drawn = {"torch": self.torch(shapes), "keras": self.keras(shapes)}
        return Parameter(f"{layer}/{self.name}", shapes.arrays[self.name], **drawn, trainable=trainable)


def starts_at(*values: float) -> Initial:
    """Return the start of a constant array, the same whatever the shapes; see `Distribution`."""
    return lambda shapes: constant(*values)


def _by_fan_in(shapes: Shapes) -> Distribution:
    return uniform_by(shapes.fans[0])


def _glorot(shapes: Shapes) -> Distribution:
    return glorot_uniform(*shapes.fans)


def _glorot_of_depthwise(shapes: Shapes) -> Distribution:
    """Keras has a kernel of (height, width, in, multiplier), and takes the last two for the fans."""
    out, _, *kernel = shapes.arrays["weight"]
    return glorot_uniform(shapes.groups * math.prod(kernel), out // shapes.groups * math.prod(kernel))


def _by_units(shapes: Shapes) -> Distribution:
    return uniform_by(shapes.arrays["weight_hh_l0"][1])


def _glorot_of_input(shapes: Shapes) -> Distribution:
    out, inputs = shapes.arrays["weight_ih_l0"]
    return glorot_uniform(inputs, out)


def _xavier_of_projections(shapes: Shapes) -> Distribution:
    out, inputs = shapes.arrays["in_proj_weight"]
    return glorot_uniform(inputs, out)


def _glorot_of_projection(shapes: Shapes) -> Distribution:
    _, inputs = shapes.arrays["in_proj_weight"]
    return glorot_uniform(inputs, inputs)


def _by_inputs_of_projection(shapes: Shapes) -> Distribution:
    return uniform_by(shapes.arrays["out_proj/weight"][1])


def _orthogonal(shapes: Shapes) -> Distribution:
    return Distribution("orthogonal")


ZERO, ONE = starts_at(0.0), starts_at(1.0)
BIAS = ArraySpec("bias", _by_fan_in, ZERO)
DENSE = (ArraySpec("weight", _by_fan_in, _glorot), BIAS)
CONVOLUTION = DENSE
DEPTHWISE = (ArraySpec("weight", _by_fan_in, _glorot_of_depthwise), BIAS)
NORMALISATION = (ArraySpec("weight", ONE, ONE), ArraySpec("bias", ZERO, ZERO))
BATCH_NORMALISATION = (
    *NORMALISATION,
    ArraySpec("running_mean", ZERO, ZERO, trainable=False),
    ArraySpec("running_var", ONE, ONE, trainable=False),
)
PRELU = (ArraySpec("weight", starts_at(0.25), ZERO),)
EMBEDDING = (
    ArraySpec("weight", lambda shapes: Distribution("normal", 1.0), lambda shapes: Distribution("uniform", 0.05)),
)
RECURRENT_WEIGHTS = (
    ArraySpec("weight_ih_l0", _by_units, _glorot_of_input),
    ArraySpec("weight_hh_l0", _by_units, _orthogonal),
)
# Keras starts the bias of the forget gate, the second of four, at 1 (`unit_forget_bias`).
LSTM = (*RECURRENT_WEIGHTS, ArraySpec("bias_ih_l0", _by_units, starts_at(0.0, 1.0, 0.0, 0.0)))
GRU = (
    *RECURRENT_WEIGHTS,
    ArraySpec("bias_ih_l0", _by_units, ZERO),
    ArraySpec("bias_hh_l0", _by_units, ZERO),
)
ATTENTION = (
    ArraySpec("in_proj_weight", _xavier_of_projections, _glorot_of_projection),
    ArraySpec("in_proj_bias", ZERO, ZERO),
    ArraySpec("out_proj/weight", _by_inputs_of_projection, _glorot_of_projection),
    ArraySpec("out_proj/bias", ZERO, ZERO),
)


def refuse_arrays(layer: str, kind: str, arrays: Iterable[str]) -> NoReturn:
    """Refuse a layer with arrays that the project doesn't know: they would be left out of the proof.

    Raises:
        TandemError: always; naming the layer, its kind and its arrays.
    """
    raise TandemError(
        f"layer {layer} ({kind}): expected parameters and state of a known kind of layer; got "
        f"{', '.join(sorted(arrays))}; use a known kind (docs/layers.md), or add this one to backend/arrays.py of both "
        "frameworks"
    )


def refuse_setting(layer: str, kind: str, expected: str, found: object, advice: str) -> NoReturn:
    """Refuse a layer of a known kind with a setting that has no twin, or that can't be tested.

    Raises:
        TandemError: always; naming the layer, its kind and what to do.
    """
    raise TandemError(f"layer {layer} ({kind}): expected {expected}; got {found}", advice=f"{advice} (docs/layers.md)")
