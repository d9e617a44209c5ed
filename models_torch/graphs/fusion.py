"""Operations that a compiler can fuse: one pass over memory instead of one for each."""

import torch
from torch import Tensor


def chain(x: Tensor) -> Tensor:
    """Five operations on each number, all of them quick to compute."""
    return torch.relu((x * 2 + 1) * x - 3)


def waves(x: Tensor) -> Tensor:
    """Five operations on each number, three of them slow to compute."""
    return torch.tanh(torch.exp(torch.sin(x) * 2 + 1))


def dense(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A dense layer: matrix product, bias, ReLU."""
    return torch.relu(x @ weight + bias)
