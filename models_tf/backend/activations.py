"""Activations of Keras that compute in float64 what they say.

TensorFlow rounds their constants to float32, whatever it computes in: √½ of the exact GELU, 0.044715 of the approximate
one, the slope of the leaky ReLU. In float64, Keras's own are wrong from the eighth digit on.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops


@keras.saving.register_keras_serializable("tandem")
class GELU(layers.Layer):
    """The Gaussian error linear unit (Hendrycks and Gimpel, 2016): x·Φ(x), as nn.GELU.

    With `approximate`, Φ is computed with a hyperbolic tangent, as by nn.GELU(approximate="tanh").
    """

    def __init__(self, *, approximate: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.approximate = approximate

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Return the activations."""
        number = np.dtype(self.compute_dtype).type
        if not self.approximate:
            return inputs * number(0.5) * (number(1) + ops.erf(inputs * number(math.sqrt(0.5))))
        inner = inputs + number(0.044715) * inputs * inputs * inputs
        return number(0.5) * inputs * (number(1) + ops.tanh(number(math.sqrt(2 / math.pi)) * inner))

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return super().get_config() | {"approximate": self.approximate}


@keras.saving.register_keras_serializable("tandem")
class LeakyReLU(layers.LeakyReLU):
    """A leaky ReLU with PyTorch's default slope, 0.01; Keras's is 0.3."""

    def __init__(self, negative_slope: float = 0.01, **options: Any) -> None:
        super().__init__(negative_slope, **options)

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Return the activations."""
        return ops.where(inputs > 0, inputs, inputs * np.dtype(self.compute_dtype).type(self.negative_slope))
