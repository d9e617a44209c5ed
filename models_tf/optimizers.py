"""Keras's optimisers, brought to PyTorch's formulas; neither decays weights unless told to.

Every constant is a Python number until it meets a tensor: Keras casts it on its own first, which rounds it to float32
even where everything else is float64.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from experiments.params import Recipe


class SGD(keras.optimizers.SGD):
    """SGD as PyTorch writes it (torch.optim.SGD; Sutskever et al., 2013, with the learning rate outside).

    v ← momentum·v + g, w ← w - lr·v. Keras keeps lr·v as its velocity instead, which is the same as long as lr is.
    """

    def update_step(self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable."""
        direction = gradient
        if self.momentum:
            velocity = self.momentums[self._get_variable_index(variable)]
            direction = self.momentum * velocity + gradient
            self.assign(velocity, direction)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * direction)


class Adam(keras.optimizers.Adam):
    """Adam as its authors and PyTorch write it (Kingma and Ba, 2015, Algorithm 1; torch.optim.Adam).

    m ← β₁·m + (1 - β₁)·g, v ← β₂·v + (1 - β₂)·g², w ← w - lr·m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and
    v̂ = v / (1 - β₂ᵗ). Keras adds its ε, 1e-7, to √v before the correction, which is another number at every step.
    """

    def apply(self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Update all variables."""
        self._now = self._corrections()  # once a step, not once a variable
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable."""
        place = self._get_variable_index(variable)
        m, v = self._momentums[place], self._velocities[place]
        self.assign_add(m, (1 - self.beta_1) * (gradient - m))
        self.assign_add(v, (1 - self.beta_2) * (ops.square(gradient) - v))
        correct_m, root_correct_v = (ops.cast(one, variable.dtype) for one in self._now)
        step_size = ops.cast(learning_rate, variable.dtype) / correct_m
        self.assign_sub(variable, step_size * m / (ops.sqrt(v) / root_correct_v + self.epsilon))

    def _corrections(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Return 1 - β₁ᵗ and √(1 - β₂ᵗ), in float64 as PyTorch has them: in float32, 1 - β₂ loses four digits."""
        step = tf.cast(self.iterations + 1, tf.float64)
        return 1 - self.beta_1**step, tf.sqrt(1 - self.beta_2**step)


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Return SGD, or Adam with PyTorch's epsilon, 1e-8."""
    if recipe.optimiser == "sgd":
        return SGD(recipe.lr, momentum=recipe.momentum or 0.0)
    return Adam(recipe.lr, epsilon=1e-8)
