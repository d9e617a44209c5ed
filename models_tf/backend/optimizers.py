"""Keras's optimisers, brought to PyTorch's formulas by TensorFlow's fused kernels; neither decays weights.

A kernel updates a variable in one pass, where Keras takes five to ten. Every constant becomes a tensor of the
variable's dtype at once: Keras casts Python's numbers by way of float32, which rounds them even where everything else
is float64.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from experiments.settings.recipe import Recipe


class OnOneDevice(keras.optimizers.Optimizer):
    """Updates each variable on its device.

    Keras uses `tf.distribute`, which keeps the traced graph, and all that it captures, for the life of the process:
    50 MB for a training on MNIST.
    """

    def _backend_update_step(
        self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable], learning_rate: tf.Tensor
    ) -> None:
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(gradient, variable.value, learning_rate)


class SGD(OnOneDevice, keras.optimizers.SGD):
    """SGD as PyTorch writes it (torch.optim.SGD; Sutskever et al., 2013, with the learning rate outside).

    v ← momentum·v + g, w ← w - lr·v. Keras's velocity is lr·v, which is the same only while lr is constant.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Create the velocities, and the momentum as a variable: one traced graph serves every momentum above 0."""
        super().build(variables)
        self._mu = tf.Variable(self.momentum, trainable=False, dtype=variables[0].dtype)

    def set_momentum(self, momentum: float) -> None:
        """Change the momentum from one above 0 to another."""
        self.momentum = momentum
        self._mu.assign(momentum)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable."""
        lr = tf.cast(learning_rate, variable.dtype)
        if not self.momentum:
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=lr, delta=gradient)
            return
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=lr,
            grad=gradient,
            momentum=self._mu,
        )


class Adam(OnOneDevice, keras.optimizers.Adam):
    """Adam as its authors and PyTorch write it (Kingma and Ba, 2015, Algorithm 1; torch.optim.Adam).

    m ← β₁·m + (1 - β₁)·g, v ← β₂·v + (1 - β₂)·g², w ← w - lr·m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ) and
    v̂ = v / (1 - β₂ᵗ). TensorFlow's kernel, like Keras, adds its epsilon to √v instead (their remark after Algorithm 1):
    it is given ε·√(1 - β₂ᵗ) here, which is equivalent.
    """

    def apply(self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Update all variables."""
        # Once a step, and in float64 as PyTorch has them: in float32, 1 - β₂ᵗ loses four digits.
        step = tf.cast(self.iterations + 1, tf.float64)
        self._powers = tf.constant(self.beta_1, tf.float64) ** step, tf.constant(self.beta_2, tf.float64) ** step
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable."""
        index, dtype = self._get_variable_index(variable), variable.dtype
        power1, power2 = self._powers
        root = tf.sqrt(1 - power2)
        # The kernel's own correction is lr·√(1 - power2) / (1 - power1): powers of 0 turn it off.
        corrected = tf.cast(learning_rate, tf.float64) * root / (1 - power1)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.zeros((), dtype),
            beta2_power=tf.zeros((), dtype),
            lr=tf.cast(corrected, dtype),
            beta1=tf.constant(self.beta_1, dtype),
            beta2=tf.constant(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon * root, dtype),
            grad=gradient,
        )


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Return SGD, or Adam with PyTorch's epsilon, 1e-8."""
    if recipe.optimiser == "sgd":
        return SGD(recipe.lr, momentum=recipe.momentum or 0.0)
    return Adam(recipe.lr, epsilon=1e-8)


def graph_of(recipe: Recipe) -> tuple[str, bool]:
    """Return what of a recipe's optimiser is baked into a traced graph; `restart` changes all else."""
    return recipe.optimiser, bool(recipe.momentum)


def restart(optimizer: keras.optimizers.Optimizer, recipe: Recipe) -> None:
    """Make an optimiser what `make_optimizer` would return for a recipe with the same graph."""
    for variable in optimizer.variables:
        variable.assign(tf.zeros_like(variable.value))
    optimizer.learning_rate = recipe.lr
    if recipe.momentum:
        optimizer.set_momentum(recipe.momentum)
