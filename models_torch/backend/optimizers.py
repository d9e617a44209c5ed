"""PyTorch's optimisers, and what a recipe does before a step; `models_tf.backend.optimizers` has the same formulas."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from experiments.settings.recipe import Recipe


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimiser of all parameters that aren't frozen; `fused` does each update in one kernel.

    SGD: v ← momentum·v + g, w ← w - lr·v (Sutskever et al., 2013, without dampening). Adam: Kingma and Ba (2015),
    epsilon 1e-8 added to the root of the bias-corrected second moment. Their weight decay is coupled: g ← g + λ·w.
    AdamW is Adam with decoupled weight decay, w ← w - lr·λ·w (Loshchilov and Hutter, 2019, with lr in the decay).
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decay = recipe.weight_decay or 0.0
    if recipe.optimiser == "sgd":
        momentum = recipe.momentum or 0.0
        return torch.optim.SGD(trained, lr=recipe.lr, momentum=momentum, weight_decay=decay, fused=True)
    kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
    return kind(trained, lr=recipe.lr, eps=1e-8, weight_decay=decay, fused=True)


def update(optimizer: torch.optim.Optimizer, recipe: Recipe, rate: float | None) -> None:
    """Take a step with the gradients that there are; `rate` is its learning rate, None: the recipe's."""
    if recipe.clip_norm is not None:
        clip_gradients([one for group in optimizer.param_groups for one in group["params"]], recipe.clip_norm)
    if rate is not None:
        for group in optimizer.param_groups:
            group["lr"] = rate
    optimizer.step()


def clip_gradients(parameters: Sequence[nn.Parameter], most: float) -> None:
    """Scale all gradients by most / max(norm, most), where the norm is that of all of them together.

    Pascanu et al. (2013), Algorithm 1. PyTorch's clip_grad_norm_ adds 1e-6 to the norm.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm: Tensor = torch.nn.utils.get_total_norm(gradients)
    scale = most / norm.clamp(min=most)
    for gradient in gradients:
        gradient.mul_(scale)
