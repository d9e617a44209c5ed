"""A loop whose number of passes depends on the values in a tensor."""

import torch
from torch import Tensor


def python_loop(x: Tensor) -> Tensor:
    """Halve until the norm is at most 1, as one writes it in Python."""
    while x.norm() > 1:
        x = x / 2
    return x


def offered_loop(x: Tensor) -> Tensor:
    """With the operation that PyTorch offers: the loop is in the graph."""
    (x,) = torch.while_loop(lambda x: x.norm() > 1, lambda x: (x / 2,), (x,))
    return x
