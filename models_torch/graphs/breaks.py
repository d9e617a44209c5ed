"""Python around the tensors: what becomes of it in a graph?"""

import random

import numpy as np
import torch
from torch import Tensor

CALLS: list[str] = []
FACTOR = 2.0


def prints(x: Tensor) -> Tensor:
    """Print a value on the way."""
    total = x.sum()
    print(total)
    return x / total


def reads_a_number(x: Tensor) -> Tensor:
    """Take a number out of a tensor."""
    total = x.sum().item()
    return x / total


def calls_numpy(x: Tensor) -> Tensor:
    """Leave the framework for a function of NumPy's."""
    y = np.sin(x.numpy())
    return torch.from_numpy(y) * 2


@torch.library.custom_op("tandem::sine", mutates_args=())
def sine(x: Tensor) -> Tensor:
    """NumPy's sine as an operation: a graph has it as one node, and doesn't look into it."""
    return torch.from_numpy(np.sin(x.numpy()))


@sine.register_fake
def _sine_of_shape(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def numpy_as_operation(x: Tensor) -> Tensor:
    """Call the same function in the form that PyTorch offers."""
    return sine(x) * 2


def appends_to_a_list(x: Tensor) -> Tensor:
    """Have a side effect in Python."""
    CALLS.append("called")
    return x * 2


def draws_a_number(x: Tensor) -> Tensor:
    """Draw a random number with Python."""
    return x * random.random()


def uses_a_global(x: Tensor) -> Tensor:
    """Multiply by a number of the module; somebody changes it between two calls."""
    return x * FACTOR


def times(x: Tensor, n: Tensor | float) -> Tensor:
    """Multiply by an argument."""
    return x * n
