"""Bugs to plant in what a setting does to a training; `tests.parity.planted` says how."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from experiments.contract.schedule import learning_rates, steps_of_epoch, warmup_of
from experiments.settings.recipe import Recipe
from tests.parity.planted import Bug

Rates = npt.NDArray[np.float64]


def decoupled_sgd() -> Any:
    from models_tf.backend.optimizers import SGD, AdamW

    return patch.object(SGD, "decayed", AdamW.decayed)


def decoupled_adam() -> Any:
    import torch

    return patch("torch.optim.Adam", torch.optim.AdamW)


def coupled_adamw() -> Any:
    import torch

    return patch("torch.optim.AdamW", torch.optim.Adam)


def decay_without_the_rate() -> Any:
    """w - λ·w, as Loshchilov and Hutter first write it."""
    import tensorflow as tf

    from models_tf.backend.optimizers import AdamW

    def decayed(optimizer: AdamW, gradient: Any, variable: Any, learning_rate: Any) -> Any:
        variable.assign_sub(tf.cast(optimizer.decay, variable.dtype) * variable)
        return gradient

    return patch.object(AdamW, "decayed", decayed)


def biases_not_decayed() -> Any:
    import torch

    def make(network: Any, recipe: Recipe) -> Any:
        groups = [
            {"params": [one], "weight_decay": recipe.weight_decay if one.dim() > 1 else 0.0}
            for one in network.parameters()
        ]
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum or 0.0)

    return patch("models_torch.backend.training.make_optimizer", make)


def _other_rates(change: Callable[[Rates, Recipe, int], Rates]) -> Any:
    """PyTorch takes other learning rates than those of the table."""

    def rates(recipe: Recipe, images: int) -> Rates | None:
        table = learning_rates(recipe, images)
        return None if table is None else change(table, recipe, images)

    return patch("models_torch.backend.training.learning_rates", rates)


def a_step_late() -> Any:
    return _other_rates(lambda table, recipe, images: np.concatenate([table[:1], table[:-1]]))


def by_epochs() -> Any:
    def first_of_each(table: Rates, recipe: Recipe, images: int) -> Rates:
        steps = steps_of_epoch(recipe, images)
        return np.repeat(table[::steps], steps)

    return _other_rates(first_of_each)


def warm_up_from_0() -> Any:
    """The warm-up ends a step before the full rate."""

    def changed(table: Rates, recipe: Recipe, images: int) -> Rates:
        steps = warmup_of(recipe, images)
        return np.concatenate([table[steps - 1] * np.arange(steps) / steps, table[steps:]])

    return _other_rates(changed)


def a_step_early() -> Any:
    """The number of the step is read after it has been counted."""
    import tensorflow as tf

    from models_tf.backend.optimizers import Table

    def rate(table: Table, step: Any) -> Any:
        return table.rates[tf.minimum(tf.convert_to_tensor(step) + 1, tf.size(table.rates, tf.int64) - 1)]

    return patch.object(Table, "__call__", rate)


def rates_rounded() -> Any:
    from models_tf.backend.optimizers import Table

    original = Table.__init__

    def init(table: Table, rates: Rates) -> None:
        original(table, rates.astype(np.float32).astype(np.float64))

    return patch.object(Table, "__init__", init)


def rate_in_the_velocity() -> Any:
    """As in Keras: v ← momentum·v - lr·g, w ← w + v, which is the same while lr is constant."""
    import tensorflow as tf

    from models_tf.backend.optimizers import SGD

    def update(optimizer: SGD, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = optimizer.momentums[optimizer._get_variable_index(variable)].value
        velocity.assign(optimizer._mu * velocity - tf.cast(learning_rate, variable.dtype) * gradient)
        variable.assign_add(velocity)

    return patch.object(SGD, "update_step", update)


def clipped_one_by_one() -> Any:
    """Each array's gradient by its own norm."""

    def clip(parameters: Any, most: float) -> None:
        for parameter in parameters:
            parameter.grad.mul_(most / parameter.grad.norm().clamp(min=most))

    return patch("models_torch.backend.optimizers.clip_gradients", clip)


def clipped_as_pytorch_does() -> Any:
    """With the 1e-6 that PyTorch adds to the norm."""
    import torch

    def clip(parameters: Any, most: float) -> None:
        torch.nn.utils.clip_grad_norm_(parameters, most)

    return patch("models_torch.backend.optimizers.clip_gradients", clip)


def clipped_after_decay() -> Any:
    from models_tf.backend.optimizers import OnOneDevice, clipped

    def update(optimizer: Any, grads: Any, variables: Any, rate: Any) -> None:
        pairs = list(zip(grads, variables, strict=True))
        decayed = [optimizer.decayed(gradient, variable.value, rate) for gradient, variable in pairs]
        for gradient, variable in zip(clipped(decayed, optimizer.clip_norm), variables, strict=True):
            optimizer.update_step(gradient, variable.value, rate)

    return patch.object(OnOneDevice, "_backend_update_step", update)


def smoothed_over_the_others() -> Any:
    """The label's own class gets no part of what all classes share."""
    from torch.nn.functional import cross_entropy

    def batch_loss(logits: Any, labels: Any, smoothing: float = 0.0) -> Any:
        classes = logits.shape[1]
        return cross_entropy(logits, labels, label_smoothing=smoothing * classes / (classes - 1))

    return patch("models_torch.backend.training.batch_loss", batch_loss)


def smoothing_rounded() -> Any:
    import tensorflow as tf

    def rounded(variable: Any, value: float | None) -> Any:
        return tf.Variable(value, trainable=False, dtype=tf.float32)

    return patch("models_tf.backend.training.above_zero", rounded)


BUGS: dict[str, tuple[str, Bug]] = {
    "decoupled SGD": ("keras", decoupled_sgd),
    "decoupled Adam": ("lightning", decoupled_adam),
    "coupled AdamW": ("lightning", coupled_adamw),
    "decay without the rate": ("keras", decay_without_the_rate),
    "biases not decayed": ("lightning", biases_not_decayed),
    "a step late": ("lightning", a_step_late),
    "a step early": ("keras", a_step_early),
    "by epochs": ("lightning", by_epochs),
    "warm-up from 0": ("lightning", warm_up_from_0),
    "rates rounded": ("keras", rates_rounded),
    "rate in the velocity": ("keras", rate_in_the_velocity),
    "clipped one by one": ("lightning", clipped_one_by_one),
    "clipped as PyTorch does": ("lightning", clipped_as_pytorch_does),
    "clipped after decay": ("keras", clipped_after_decay),
    "smoothed over the others": ("lightning", smoothed_over_the_others),
    "smoothing rounded": ("keras", smoothing_rounded),
}
