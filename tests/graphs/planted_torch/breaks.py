"""Functions whose compiled answers are wrong."""

import torch
from torch import Tensor


def triples(x: Tensor) -> Tensor:
    return x * (3 if torch.compiler.is_compiling() else 2)


def cuts(x: Tensor) -> Tensor:
    return x[1:] if torch.compiler.is_compiling() else x


def whispers(x: Tensor) -> Tensor:
    if not torch.compiler.is_compiling():
        print("loud")
    return x * 1


def honest(x: Tensor) -> Tensor:
    return x * 2
