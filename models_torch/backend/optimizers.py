"""PyTorch's optimisers, as they are; neither decays weights. `models_tf.backend.optimizers` has the same formulas."""

import torch
from torch import nn

from experiments.settings.recipe import Recipe


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return SGD or Adam on all parameters that aren't frozen; `fused` does each update in one kernel.

    SGD: v ← momentum·v + g, w ← w - lr·v (Sutskever et al., 2013, without dampening). Adam: Kingma and Ba (2015),
    epsilon 1e-8 added to the root of the bias-corrected second moment.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(trained, lr=recipe.lr, momentum=recipe.momentum or 0.0, fused=True)
    return torch.optim.Adam(trained, lr=recipe.lr, eps=1e-8, fused=True)
