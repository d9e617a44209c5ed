"""A function with a backward pass of its own: `torch.autograd.Function`, called by autograd as if it were built in."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from experiments.contract.ladder import AfterStep, Net, Trained


class Relu(torch.autograd.Function):
    """max(0, x), and what it does to a gradient."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        """Return max(0, x), and keep what the backward pass needs."""
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> Tensor:
        """Return the gradient of the loss for x, given that for the result."""
        (x,) = ctx.saved_tensors
        return upstream * (x > 0)


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y = torch.tensor(net.x), torch.tensor(net.y)
    w1, w2 = torch.tensor(net.w1, requires_grad=True), torch.tensor(net.w2, requires_grad=True)
    for _ in range(net.steps):
        loss = (Relu.apply(x @ w1) @ w2 - y).square().sum()
        d_w1, d_w2 = torch.autograd.grad(loss, [w1, w2])
        with torch.no_grad():
            w1 -= net.lr * d_w1
            w2 -= net.lr * d_w2
        after_step(loss.item())
    return w1.detach().numpy(), w2.detach().numpy()
