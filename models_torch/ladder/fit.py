"""The loop handed over too: Lightning's `Trainer.fit` calls `training_step`, and does the rest of a step itself."""

import lightning as L
import torch
from lightning.pytorch.callbacks import LambdaCallback
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from experiments.contract.ladder import AfterStep, Net, Trained


class TwoLayers(L.LightningModule):
    """The net, its loss and its optimiser."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.tensor(net.w1)), nn.Parameter(torch.tensor(net.w2))
        self.lr = net.lr

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of a batch."""
        x, y = batch
        return ((x @ self.w1).relu() @ self.w2 - y).square().sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return what changes the parameters."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once: an epoch is one batch."""
    loader = DataLoader(TensorDataset(torch.tensor(net.x), torch.tensor(net.y)), batch_size=len(net.x))
    model = TwoLayers(net)
    report = LambdaCallback(on_train_batch_end=lambda trainer, model, out, *_: after_step(out["loss"].item()))
    # By default, it also writes logs and checkpoints, and shows a bar and a summary.
    off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = L.Trainer(max_epochs=net.steps, accelerator="cpu", callbacks=[report], **dict.fromkeys(off, False))
    trainer.fit(model, loader)
    return model.w1.detach().numpy(), model.w2.detach().numpy()
