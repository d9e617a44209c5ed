"""Autograd: the forward pass alone is written, `backward` follows it back to every tensor that requires a gradient."""

import torch

from experiments.contract.ladder import AfterStep, Net, Trained


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y = torch.tensor(net.x), torch.tensor(net.y)
    w1, w2 = torch.tensor(net.w1, requires_grad=True), torch.tensor(net.w2, requires_grad=True)
    for _ in range(net.steps):
        loss = ((x @ w1).relu() @ w2 - y).square().sum()
        loss.backward()
        with torch.no_grad():
            for weight in (w1, w2):
                weight -= net.lr * weight.grad
                weight.grad = None  # else the next step would add its own to it
        after_step(loss.item())
    return w1.detach().numpy(), w2.detach().numpy()
