"""The defaults of PyTorch, read from its signatures and measured.

`models_tf.backend.defaults` answers the same questions, in the same order.
"""

import math

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from experiments.contract.signatures import default_of, defaults_of
from models_torch.backend.layer_defaults import layer_defaults


def initialisation(layer: nn.Linear | nn.Conv2d, fan_in: int) -> tuple[str, str]:
    """Return how weight and bias are drawn: the largest of many draws tells the bound of a uniform distribution."""
    assert layer.bias is not None  # noqa: S101 - both have one by default

    def bound(value: Tensor) -> str:
        return f"uniform within ±{value.detach().abs().max().item() * math.sqrt(fan_in):.2f}/√fan_in"

    return bound(layer.weight), bound(layer.bias)


def sgd() -> tuple[str, str]:
    """Return SGD's settings, and where its learning rate is applied: two steps with gradient 1, lr 0.1, then 0.01."""
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    for lr in (0.1, 0.01):
        optimizer.param_groups[0]["lr"] = lr
        weight.grad = torch.ones(1)
        optimizer.step()
    outside = math.isclose(weight.item(), -0.1 - 0.01 * 1.9, rel_tol=1e-5)
    formula = "v ← μv + g, w ← w - lr·v" if outside else "v ← μv - lr·g, w ← w + v"
    return defaults_of(torch.optim.SGD, "lr", "momentum", "nesterov"), formula


def adam() -> tuple[str, str]:
    """Return Adam's settings, and where its epsilon is added: one step with gradient and epsilon 1e-4."""
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.full((1,), 1e-4)
    torch.optim.Adam([weight], lr=1.0, eps=1e-4).step()
    after = math.isclose(weight.item(), -0.5, rel_tol=1e-3)
    return defaults_of(torch.optim.Adam, "lr", "betas", "eps"), "√v̂ + ε" if after else "√v + ε, before v is corrected"


def weight_decay() -> tuple[str, str]:
    """Return the default, and what a weight decay of 0.1 does to a weight of 1 in a step of Adam without gradient."""
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.zeros(1)
    torch.optim.Adam([weight], lr=0.01, weight_decay=0.1).step()
    coupled = weight.item() < 0.995
    how = "added to the gradient" if coupled else "apart from the gradient, w ← w - lr·λ·w"
    return str(default_of(torch.optim.Adam, "weight_decay") or "none"), how


def batch_norm() -> tuple[str, str, str]:
    """Return epsilon, momentum and its meaning, and which variance is kept: from the batch 0, 2 of mean 1."""
    layer = nn.BatchNorm1d(1)
    layer(torch.tensor([[0.0], [2.0]]))
    assert layer.running_mean is not None and layer.running_var is not None  # noqa: PT018, S101 - it tracks them
    share = layer.running_mean.item()
    variance = (layer.running_var.item() - (1 - share)) / share
    kind = "divided by n" if abs(variance - 1) < 0.01 else "divided by n - 1"
    return str(layer.eps), f"{layer.momentum}: {share:.2f} of the new batch", kind


def average_pooling() -> str:
    """Return whether padding counts in an average: at the corner of an image of ones."""
    corner = nn.AvgPool2d(3, stride=1, padding=1)(torch.ones(1, 1, 3, 3))[0, 0, 0, 0].item()
    return "zeros count" if corner < 1 else "zeros don't count"


def same_convolution() -> str:
    """Return the sizes that a convolution with `same` padding makes of 7, with stride 1 and 2."""
    return f"7 → {nn.Conv2d(1, 1, 3, padding='same')(torch.ones(1, 1, 7, 7)).shape[-1]}; stride 2: {_refuses()}"


def _refuses() -> str:
    try:
        layer = nn.Conv2d(1, 1, 3, padding="same", stride=2)
    except ValueError:
        return "refused"
    return f"7 → {layer(torch.ones(1, 1, 7, 7)).shape[-1]}"


def pooling() -> tuple[str, str]:
    """Return the size that pooling of 2 makes of 7, and how to keep the last, incomplete window."""
    sizes = [nn.MaxPool2d(2, ceil_mode=up)(torch.ones(1, 1, 7, 7)).shape[-1] for up in (False, True)]
    return f"7 → {sizes[0]}", f"ceil_mode: 7 → {sizes[1]}"


def dropout() -> str:
    """Return the default rate, and what becomes of an input of 1 that is kept with a rate of 0.5."""
    kept = nn.Dropout(0.5)(torch.ones(1000)).max().item()
    return f"default rate: {default_of(nn.Dropout, 'p')}; kept inputs × {kept:g} at rate 0.5"


def defaults() -> dict[str, str]:
    """Return every default by its name."""
    torch.manual_seed(0)
    dense = initialisation(nn.Linear(400, 400), 400)
    convolution = initialisation(nn.Conv2d(100, 400, 5), 2500)
    (sgd_settings, sgd_formula), (adam_settings, adam_epsilon) = sgd(), adam()
    pooled, rounded = pooling()
    (decay, decayed), (epsilon, momentum, variance) = weight_decay(), batch_norm()
    return {
        "axes of images": "n, c, h, w" if nn.Conv2d(3, 1, 1)(torch.ones(1, 3, 5, 5)).shape[1] == 1 else "n, h, w, c",
        "dense weight": dense[0],
        "dense bias": dense[1],
        "convolution weight": convolution[0],
        "convolution bias": convolution[1],
        "SGD settings": sgd_settings,
        "SGD formula": sgd_formula,
        "Adam settings": adam_settings,
        "Adam epsilon": adam_epsilon,
        "weight decay": decay,
        "weight decay, if any": decayed,
        "cross-entropy reduction": str(default_of(nn.CrossEntropyLoss, "reduction")),
        "cross-entropy takes": "logits",
        "last short batch": "left out" if default_of(DataLoader, "drop_last") else "kept",
        "shuffling": "on" if default_of(DataLoader, "shuffle") else "off",
        "convolution, same padding": same_convolution(),
        "max pooling by 2": pooled,
        "max pooling that rounds up": rounded,
        "average pooling, padded": average_pooling(),
        "dropout": dropout(),
        "batch norm epsilon": epsilon,
        "batch norm momentum": momentum,
        "batch norm variance kept": variance,
        **layer_defaults(),
        "TensorFloat-32 convolutions on a GPU": "on" if torch.backends.cudnn.allow_tf32 else "off",
    }
