"""Initial weights, drawn by NumPy so that both members of a pair start from the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.contract.initial import Distribution
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
    a flatten are in the order channel, height, width. `torch` and `keras` are how either framework starts it.
    `trainable` is False for state, such as a running mean, which training updates without a gradient, and for what is
    frozen.
    """

    name: str
    shape: tuple[int, ...]
    torch: Distribution
    keras: Distribution
    trainable: bool = True

    def start(self, recipe: Recipe) -> Distribution:
        """Return how a recipe draws it."""
        if self.name in recipe.initialiser_exceptions:
            return self.keras
        return self.torch if recipe.initialiser == "torch" else self.keras


def draw_weights(parameters: Sequence[Parameter], recipe: Recipe, *, seed: int) -> Weights:
    """Return a float32 array for each parameter, by name, drawn as the initialiser of the recipe says.

    `torch` and `keras` are the defaults of their layers (`experiments.contract.arrays`). A parameter among the
    `initialiser_exceptions` is drawn as given there: `xavier_uniform` is what `keras` does with weights.

    Each parameter has a random stream of its own, keyed by seed and name: adding a layer changes no other.

    Raises:
        TandemError: an exception names a parameter that does not exist, or isn't drawn so by Keras.
    """
    allowed = [parameter.name for parameter in parameters if parameter.keras.rule == "glorot uniform"]
    for unknown in sorted(set(recipe.initialiser_exceptions) - set(allowed)):
        expected = f"expected some of the parameters {', '.join(allowed)}; got {unknown!r}"
        raise TandemError(f"params.yaml: initialiser_exceptions of a recipe: {expected}")
    return {
        parameter.name: parameter.start(recipe).draw(
            parameter.shape, np.random.default_rng(stream(seed, parameter.name))
        )
        for parameter in parameters
    }
