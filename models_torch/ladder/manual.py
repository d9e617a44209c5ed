"""Tensors, the backward pass written by hand: PyTorch in the place of NumPy."""

import torch

from experiments.contract.ladder import AfterStep, Net, Trained


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y, w1, w2 = (torch.tensor(array) for array in (net.x, net.y, net.w1, net.w2))
    for _ in range(net.steps):
        hidden = x @ w1
        active = hidden.clamp(min=0)
        error = active @ w2 - y
        loss = error.square().sum()

        # The chain rule, from the loss back to each weight.
        d_output = 2 * error
        d_w2 = active.T @ d_output
        d_hidden = (d_output @ w2.T) * (hidden > 0)
        d_w1 = x.T @ d_hidden

        w1 -= net.lr * d_w1
        w2 -= net.lr * d_w2
        after_step(loss.item())
    return w1.numpy(), w2.numpy()
