"""Initial weights, drawn by NumPy so that both members of a pair start from the same numbers."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from experiments.data.randomness import stream
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError

FloatArray = npt.NDArray[np.floating[Any]]
# float32, except where parity looks at float64.
Weights = dict[str, FloatArray]


@dataclass(frozen=True)
class Parameter:
    """One array of a model, trained or state, under the name and in the shape that both frameworks share.

    `name` is layer/weight, layer/bias, layer/running_mean, …, as PyTorch has it. `shape` is PyTorch's: (out, in,
    height, width) for a convolution, (out, in) for a dense layer, (out,) for a bias; the inputs of a dense layer after
    a flatten are in the order channel, height, width. `fan_in` and `fan_out` are those of the layer, for its bias too.
    `constant` is what each element starts with; None: the recipe's initialiser draws it. `trainable` is False for
    state: a running mean, which training updates without a gradient.
    """

    name: str
    shape: tuple[int, ...]
    fan_in: int = 0
    fan_out: int = 0
    constant: float | None = None
    trainable: bool = True


@dataclass(frozen=True)
class ArraySpec:
    """An array that a kind of layer has: the last part of its name in PyTorch, and how it starts."""

    name: str
    constant: float | None = None
    trainable: bool = True


WEIGHT, BIAS = ArraySpec("weight"), ArraySpec("bias")
# Of a normalisation: scale and shift, which both frameworks start at 1 and 0, and statistics of the batches so far.
SCALE, SHIFT = ArraySpec("weight", constant=1.0), ArraySpec("bias", constant=0.0)
MEAN, VARIANCE = (
    ArraySpec("running_mean", constant=0.0, trainable=False),
    ArraySpec("running_var", constant=1.0, trainable=False),
)


def refuse_arrays(layer: str, kind: str, arrays: Iterable[str], known: Iterable[str]) -> NoReturn:
    """Refuse a layer with arrays that the project doesn't know: they would be left out of the proof.

    Raises:
        TandemError: always; naming the layer, its kind and its arrays.
    """
    raise TandemError(
        f"layer {layer} ({kind}): expected parameters and state of a known kind of layer ({', '.join(known)}); "
        f"got {', '.join(sorted(arrays))}; use a known kind, or add this one to backend/arrays.py of both frameworks"
    )


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan-in and fan-out of a weight of that shape: (out, in), or (out, in, height, width)."""
    area = math.prod(shape[2:])
    return shape[1] * area, shape[0] * area


def draw_weights(parameters: Sequence[Parameter], recipe: Recipe, *, seed: int) -> Weights:
    """Return a float32 array for each parameter, by name, drawn as the initialiser of the recipe says.

    `torch` is the default of torch.nn.Linear and Conv2d: weights and biases uniform within ±1/√fan_in
    (`reset_parameters` there: kaiming_uniform with a = √5). `keras` is the default of keras.layers.Dense and
    Conv2D: weights uniform within ±√(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010), biases zero. A parameter
    among the `initialiser_exceptions` is drawn as given there: `xavier_uniform` is what `keras` does with weights.
    An array with a `constant` is filled with it, whatever the initialiser.

    Each parameter has a random stream of its own, keyed by seed and name: adding a layer changes no other.

    Raises:
        TandemError: an exception names a parameter that does not exist, or isn't drawn.
    """
    drawn = [parameter.name for parameter in parameters if parameter.constant is None]
    exceptions = recipe.initialiser_exceptions
    for unknown in sorted(set(exceptions) - set(drawn)):
        expected = f"expected some of the parameters {', '.join(drawn)}; got {unknown!r}"
        raise TandemError(f"params.yaml: initialiser_exceptions of a recipe: {expected}")
    weights: Weights = {}
    for parameter in parameters:
        if parameter.constant is not None:
            weights[parameter.name] = np.full(parameter.shape, parameter.constant, np.float32)
            continue
        generator = np.random.default_rng(stream(seed, parameter.name))
        bound = _bound(parameter, exceptions.get(parameter.name, recipe.initialiser))
        weights[parameter.name] = generator.uniform(-bound, bound, parameter.shape).astype(np.float32)
    return weights


def _bound(parameter: Parameter, initialiser: str) -> float:
    if initialiser == "torch":
        return 1 / math.sqrt(parameter.fan_in)
    if initialiser == "keras" and parameter.name.endswith("/bias"):
        return 0.0
    return math.sqrt(6 / (parameter.fan_in + parameter.fan_out))
