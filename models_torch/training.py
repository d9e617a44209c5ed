"""A recipe as a LightningModule, and the callback that reports and checkpoints each epoch."""

import time
from collections.abc import Iterator
from pathlib import Path

import lightning as L
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from experiments.backend import Listener, TrainingSettings
from experiments.dataset import batch_order
from experiments.params import Recipe
from experiments.randomness import dropout_seed
from models_torch.model import TorchModel

Batch = tuple[Tensor, Tensor]


class Batches:
    """The batches of one epoch, cut from tensors that already lie on the device.

    A DataLoader would fetch image by image and cost several times as much as this (see benchmarks/).
    """

    def __init__(self, images: Tensor, labels: Tensor, order: npt.NDArray[np.int64], batch_size: int) -> None:
        self.images, self.labels = images, labels
        self.places = torch.from_numpy(order).to(images.device).split(batch_size)

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Batch]:
        for places in self.places:
            yield self.images[places], self.labels[places]


class LitRecipe(L.LightningModule):
    """Trains a model as its recipe says.

    Optimisation is manual since Lightning's automatic one costs about 0.2 ms a step more, a tenth of a step of a
    small network.
    """

    def __init__(self, model: TorchModel, images: Tensor, labels: Tensor, settings: TrainingSettings) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = model.module
        self.images, self.labels, self.settings = images, labels, settings
        # Written on the device, so that no step waits for the one before.
        self.step_losses = torch.zeros(settings.log_every_steps, device=model.device)
        self.step_correct = torch.zeros(settings.log_every_steps, dtype=torch.int64, device=model.device)

    def train_dataloader(self) -> Batches:
        """Return the batches of the epoch that comes next."""
        recipe = self.settings.recipe
        order = batch_order(
            len(self.labels),
            seed=self.settings.seed,
            epoch=self.current_epoch + 1,
            batch_size=recipe.batch_size,
            drop_last=recipe.drop_last,
        )
        return Batches(self.images, self.labels, order, recipe.batch_size)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Leave the batch alone: it is there."""
        return batch

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the recipe's optimiser."""
        return make_optimizer(self.network, self.settings.recipe)

    def on_train_epoch_start(self) -> None:
        """Seed what dropout draws from."""
        torch.manual_seed(dropout_seed(self.settings.seed, self.current_epoch + 1))

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Take one step: forward, loss, backward, update."""
        images, labels = batch
        optimizer = self.optimizers(use_pl_optimizer=False)
        logits = self.network(images)
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        place = batch_idx % len(self.step_losses)
        self.step_losses[place] = loss.detach()
        self.step_correct[place] = (logits.detach().argmax(1) == labels).sum()


class Report(L.Callback):
    """Tells a listener of steps and epochs, then writes the checkpoint."""

    def __init__(self, model: TorchModel, listener: Listener, checkpoint: Path | None) -> None:
        self.model, self.listener, self.checkpoint = model, listener, checkpoint
        self.seconds = 0.0
        self.resumed = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, module: LitRecipe) -> None:
        """Start the clock."""
        self.seconds, self.resumed = 0.0, time.perf_counter()

    def on_train_batch_end(
        self, trainer: L.Trainer, module: LitRecipe, outputs: object, batch: Batch, batch_idx: int
    ) -> None:
        """Pass on the losses of the last steps, when there are enough of them or the epoch ends."""
        step = batch_idx + 1
        since = step % (every := module.settings.log_every_steps) or every
        if since < every and step < trainer.num_training_batches:
            return
        losses, correct = (
            np.array(module.step_losses[:since].cpu()),
            np.array(module.step_correct[:since].cpu()),
        )
        self.seconds += time.perf_counter() - self.resumed
        self.listener.steps_done(trainer.current_epoch + 1, step, losses, correct)
        self.resumed = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, module: LitRecipe) -> None:
        """Pass on the epoch, and write the checkpoint."""
        self.listener.epoch_done(trainer.current_epoch + 1, self.seconds, self.model)
        if self.checkpoint is not None:
            part = self.checkpoint.with_suffix(".part")
            trainer.save_checkpoint(part)
            part.replace(self.checkpoint)


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return SGD or Adam on all parameters; `fused` does each update in one kernel.

    SGD: v ← momentum·v + g, w ← w - lr·v (Sutskever et al., 2013, without dampening). Adam: Kingma and Ba (2015),
    epsilon 1e-8 added to the root of the bias-corrected second moment. Neither decays weights.
    """
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(network.parameters(), lr=recipe.lr, momentum=recipe.momentum or 0.0, fused=True)
    return torch.optim.Adam(network.parameters(), lr=recipe.lr, eps=1e-8, fused=True)
