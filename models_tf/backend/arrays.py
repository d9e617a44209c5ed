"""Which arrays the layers of a Keras network have, trained or state, and how they start."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
from keras import layers

from experiments.contract.weights import BIAS, MEAN, SCALE, SHIFT, VARIANCE, WEIGHT, ArraySpec, refuse_arrays
from models_tf.backend.trace import Call

# By Keras's name of the array.
LAYER_ARRAYS: dict[type[layers.Layer], dict[str, ArraySpec]] = {
    layers.Conv2D: {"kernel": WEIGHT, "bias": BIAS},
    layers.Dense: {"kernel": WEIGHT, "bias": BIAS},
    layers.BatchNormalization: {
        "gamma": SCALE,
        "beta": SHIFT,
        "moving_mean": MEAN,
        "moving_variance": VARIANCE,
    },
}


@dataclass(frozen=True)
class Array:
    """An array of a network, and what is known of it."""

    variable: keras.Variable
    spec: ArraySpec


def arrays_of(calls: Iterable[Call]) -> dict[str, Array]:
    """Return parameters and state by the names that PyTorch would give them, in the order of the layers.

    `calls` are those of a forward pass. The states of random generators aren't among them: they are set every epoch.

    Raises:
        TandemError: a layer has an array that isn't known.
    """
    return {
        f"{call.path}/{array.spec.name}": array for call, variables in owned(calls) for array in _known(call, variables)
    }


def owned(calls: Iterable[Call]) -> Iterator[tuple[Call, list[keras.Variable]]]:
    """Yield each call with the arrays of its layer itself, without those of layers inside of it."""
    seen: set[int] = set()
    for call in calls:  # a block's call ends after those of its layers
        own = [variable for variable in call.layer.weights if id(variable) not in seen]
        seen |= {id(variable) for variable in own}
        yield call, own


def _known(call: Call, variables: Iterable[keras.Variable]) -> Iterator[Array]:
    specs = next((LAYER_ARRAYS[kind] for kind in type(call.layer).__mro__ if kind in LAYER_ARRAYS), {})
    own = {variable.name: variable for variable in variables}
    if not own.keys() <= specs.keys():
        kinds = (kind.__name__ for kind in LAYER_ARRAYS)
        refuse_arrays(call.path, type(call.layer).__name__, own.keys() - specs.keys(), kinds)
    # In the order in which PyTorch has them.
    yield from (Array(own[name], spec) for name, spec in specs.items() if name in own)
