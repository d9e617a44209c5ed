"""Keras's optimisers, brought to PyTorch's formulas by TensorFlow's fused kernels.

A kernel updates a variable in one pass, where Keras takes five to ten. Every constant becomes a tensor of the
variable's dtype at once: Keras casts Python's numbers by way of float32, which rounds them even where everything else
is float64.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from experiments.contract.schedule import Rates
from experiments.settings.recipe import Recipe


class Table(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step, float64; a variable, so that one traced graph serves every schedule."""

    def __init__(self, rates: Rates) -> None:
        self.rates = tf.Variable(rates, trainable=False, dtype=tf.float64, shape=(None,))

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Return the rate of a step, counted from 0."""
        return self.rates[tf.convert_to_tensor(step)]


class OnOneDevice(keras.optimizers.Optimizer):
    """Updates each variable on its device, after clipping and coupled weight decay.

    Keras uses `tf.distribute`, which keeps the traced graph, and all that it captures, for the life of the process:
    50 MB for a training on MNIST.
    """

    # Variables, so that one traced graph serves every value above 0; None: the graph is without.
    clip_norm: tf.Variable | None = None
    decay: tf.Variable | None = None
    # What the learning rate is taken from; None: it is constant.
    table: Table | None = None

    def set(self, recipe: Recipe) -> None:
        """Take the recipe's norm to clip at and its weight decay."""
        self.clip_norm = above_zero(self.clip_norm, recipe.clip_norm)
        self.decay = above_zero(self.decay, recipe.weight_decay)

    def _backend_update_step(
        self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable], learning_rate: tf.Tensor
    ) -> None:
        gradients = grads if self.clip_norm is None else clipped(grads, self.clip_norm)
        for gradient, variable in zip(gradients, trainable_variables, strict=True):
            self.update_step(self.decayed(gradient, variable.value, learning_rate), variable.value, learning_rate)

    def decayed(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> tf.Tensor:
        """Return the gradient with coupled weight decay λ, g + λ·w, as PyTorch's SGD and Adam have it."""
        return gradient if self.decay is None else gradient + tf.cast(self.decay, variable.dtype) * variable


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


class AdamW(Adam):
    """Adam with decoupled weight decay λ (Loshchilov and Hutter, 2019), as torch.optim.AdamW: w ← w - lr·λ·w first."""

    def decayed(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> tf.Tensor:
        """Decay the variable, and return the gradient as it is."""
        if self.decay is not None:
            part = tf.cast(learning_rate, tf.float64) * self.decay
            variable.assign_sub(tf.cast(part, variable.dtype) * variable)
        return gradient


def clipped(gradients: Sequence[tf.Tensor], most: tf.Variable) -> list[tf.Tensor]:
    """Return all gradients times most / max(norm, most), where the norm is that of all of them together.

    Pascanu et al. (2013), Algorithm 1.
    """
    # The gradient of an embedding may have a row twice, which its norm must see added up.
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    norm = tf.linalg.global_norm(dense)
    limit = tf.cast(most, norm.dtype)
    return [gradient * (limit / tf.maximum(norm, limit)) for gradient in dense]


def above_zero(variable: tf.Variable | None, value: float | None) -> tf.Variable | None:
    """Return a float64 variable of that value, `variable` if there is one; None for no value, or 0."""
    if not value:
        return None
    if variable is None:
        return tf.Variable(value, trainable=False, dtype=tf.float64)
    variable.assign(value)
    return variable


def make_optimizer(recipe: Recipe, rates: Rates | None) -> keras.optimizers.Optimizer:
    """Return the recipe's optimiser, with the learning rate of each step, or none; Adam has PyTorch's epsilon, 1e-8."""
    lr = recipe.lr if rates is None else Table(rates)
    if recipe.optimiser == "sgd":
        optimizer: OnOneDevice = SGD(lr, momentum=recipe.momentum or 0.0)
    else:
        optimizer = (AdamW if recipe.optimiser == "adamw" else Adam)(lr, epsilon=1e-8)
    optimizer.table = lr if isinstance(lr, Table) else None
    optimizer.set(recipe)
    return optimizer


def graph_of(recipe: Recipe) -> tuple[object, ...]:
    """Return what of a recipe's optimiser is baked into a traced graph; `restart` changes all else."""
    present = (recipe.momentum, recipe.weight_decay, recipe.clip_norm, recipe.schedule)
    return recipe.optimiser, *map(bool, present)


def restart(optimizer: keras.optimizers.Optimizer, recipe: Recipe, rates: Rates | None) -> None:
    """Make an optimiser what `make_optimizer` would return for a recipe with the same graph."""
    for variable in optimizer.variables:
        variable.assign(tf.zeros_like(variable.value))
    if rates is None:
        optimizer.learning_rate = recipe.lr
    else:
        optimizer.table.rates.assign(rates)
    if recipe.momentum:
        optimizer.set_momentum(recipe.momentum)
    optimizer.set(recipe)
