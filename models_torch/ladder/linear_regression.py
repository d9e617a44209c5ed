"""Linear regression: gradients taken by name with `torch.autograd.grad`, and applied by hand."""

import torch

from experiments.contract.ladder import AfterStep, Line, Trained


def train(line: Line, after_step: AfterStep) -> Trained:
    """Fit the line by plain gradient descent on the mean squared error."""
    x, y = torch.tensor(line.x), torch.tensor(line.y)
    w, b = torch.tensor(line.w, requires_grad=True), torch.tensor(line.b, requires_grad=True)
    for _ in range(line.steps):
        loss = (w * x + b - y).square().mean()
        d_w, d_b = torch.autograd.grad(loss, [w, b])
        with torch.no_grad():
            w -= line.lr * d_w
            b -= line.lr * d_b
        after_step(loss.item())
    return w.detach().numpy(), b.detach().numpy()
