"""Layers and an optimiser: `nn.Sequential` holds the weights, `torch.optim.SGD` changes them."""

import torch
from torch import nn

from experiments.contract.ladder import AfterStep, Net, Trained


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y = torch.tensor(net.x), torch.tensor(net.y)
    (inputs, hidden), (_, outputs) = net.w1.shape, net.w2.shape
    model = nn.Sequential(
        nn.Linear(inputs, hidden, bias=False, dtype=x.dtype),
        nn.ReLU(),
        nn.Linear(hidden, outputs, bias=False, dtype=x.dtype),
    )
    # A Linear keeps its weights as (outputs, inputs).
    model.load_state_dict({"0.weight": torch.tensor(net.w1.T), "2.weight": torch.tensor(net.w2.T)})
    loss_of = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=net.lr)
    for _ in range(net.steps):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after_step(loss.item())
    return [weight.detach().numpy().T for weight in model.parameters()]
