"""A module of one's own, and a loader: `nn.Module` finds its parameters, `DataLoader` hands out the batches."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from experiments.contract.ladder import AfterStep, Net, Trained


class TwoLayers(nn.Module):
    """The net; its parameters are whatever attribute is an `nn.Parameter`."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.w1 = nn.Parameter(torch.tensor(net.w1))
        self.w2 = nn.Parameter(torch.tensor(net.w2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, (n, outputs), for x, (n, inputs)."""
        return (x @ self.w1).relu() @ self.w2


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once: an epoch is one batch."""
    loader = DataLoader(TensorDataset(torch.tensor(net.x), torch.tensor(net.y)), batch_size=len(net.x))
    model = TwoLayers(net)
    optimizer = torch.optim.SGD(model.parameters(), lr=net.lr)
    for _ in range(net.steps):
        for x, y in loader:
            loss = (model(x) - y).square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            after_step(loss.item())
    return model.w1.detach().numpy(), model.w2.detach().numpy()
