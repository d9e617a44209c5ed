"""`torch.compile`: the first call translates a whole step, its backward pass included, to C++; the others run that."""

import torch
from torch import Tensor
from torch.func import grad_and_value

from experiments.contract.ladder import AfterStep, Net, Trained


def loss_of(w1: Tensor, w2: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the sum of the squared errors."""
    return ((x @ w1).relu() @ w2 - y).square().sum()


@torch.compile(fullgraph=True)
def step(w1: Tensor, w2: Tensor, x: Tensor, y: Tensor, lr: float) -> Tensor:
    """Change the weights, and return the loss before it."""
    (d_w1, d_w2), loss = grad_and_value(loss_of, argnums=(0, 1))(w1, w2, x, y)
    w1 -= lr * d_w1
    w2 -= lr * d_w2
    return loss


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y, w1, w2 = (torch.tensor(array) for array in (net.x, net.y, net.w1, net.w2))
    for _ in range(net.steps):
        after_step(step(w1, w2, x, y, net.lr).item())
    return w1.numpy(), w2.numpy()
