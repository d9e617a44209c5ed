"""A recipe as a LightningModule, and the callback that reports and checkpoints each epoch."""

import time
from pathlib import Path

import lightning as L
import torch
from torch import Tensor, nn

from experiments.contract.backend import Listener, TrainingSettings
from experiments.contract.phases import Phases
from experiments.contract.schedule import learning_rates, steps_of_epoch
from experiments.data.randomness import dropout_seed
from experiments.system.files import replace_durably
from models_torch.backend.batches import Block, Blocks, Source
from models_torch.backend.model import TorchModel, channels_second
from models_torch.backend.optimizers import make_optimizer, update
from models_torch.backend.precision import logits_in, tensor_float_32


class LitRecipe(L.LightningModule):
    """Trains a model as its recipe says.

    A `training_step` takes a block of batches, and a step of the optimiser for each (Lightning's manual optimisation).
    What Lightning does around a `training_step` costs about 0.3 ms, more than a tenth of a small network's step.
    """

    def __init__(self, model: TorchModel, source: Source, settings: TrainingSettings) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = model.module
        self.source, self.settings = source, settings
        self.steps_per_epoch = steps_of_epoch(settings.recipe, source.images)
        self.rates = learning_rates(settings.recipe, source.images)

    def train_dataloader(self) -> Blocks:
        """Return the batches of the next epoch."""
        return Blocks(self.source, self.current_epoch + 1, -(-self.steps_per_epoch // self.source.batches))

    def transfer_batch_to_device(self, batch: Block, device: torch.device, dataloader_idx: int) -> Block:
        """Return the batch as it is: it is on the device already."""
        return batch

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the recipe's optimiser."""
        return make_optimizer(self.network, self.settings.recipe)

    def on_train_epoch_start(self) -> None:
        """Seed dropout, and turn it on: Lightning leaves a module in the mode in which it was passed in."""
        self.network.train()
        torch.manual_seed(dropout_seed(self.settings.seed, self.current_epoch + 1))

    def training_step(self, block: Block, block_idx: int) -> dict[str, Tensor]:
        """Take a step for each batch: forward, loss, backward, update; return the losses and correct counts."""
        with tensor_float_32(self.settings.recipe.precision):
            return self._steps(block, block_idx)

    def _steps(self, block: Block, block_idx: int) -> dict[str, Tensor]:
        optimizer, recipe = self.optimizers(use_pl_optimizer=False), self.settings.recipe
        losses, correct = [], []
        steps_before = self.current_epoch * self.steps_per_epoch
        for step, (images, labels) in enumerate(block, steps_before + block_idx * self.source.batches):
            logits = logits_in(self.network, channels_second(images), recipe.precision)
            loss = batch_loss(logits, labels, recipe.label_smoothing or 0.0)
            optimizer.zero_grad()
            loss.backward()
            update(optimizer, recipe, None if self.rates is None else float(self.rates[step]))
            losses.append(loss.detach())
            correct.append((logits.detach().argmax(1) == labels).sum())
        return {"losses": torch.stack(losses), "correct": torch.stack(correct)}


class Report(L.Callback):
    """Reports steps and epochs to a listener, and writes the checkpoint after each epoch."""

    def __init__(self, model: TorchModel, listener: Listener, checkpoint: Path | None, phases: Phases) -> None:
        self.model, self.listener, self.checkpoint, self.phases = model, listener, checkpoint, phases
        self.seconds = 0.0
        self.resumed = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, module: LitRecipe) -> None:
        """Start the clock."""
        self.seconds, self.resumed = 0.0, time.perf_counter()

    def on_train_batch_end(
        self, trainer: L.Trainer, module: LitRecipe, outputs: dict[str, Tensor], batch: Block, batch_idx: int
    ) -> None:
        """Report the losses of a block."""
        losses, correct = outputs["losses"].cpu().numpy(), outputs["correct"].cpu().numpy()
        self.seconds += time.perf_counter() - self.resumed
        step = batch_idx * module.source.batches + len(losses)
        self.listener.steps_done(trainer.current_epoch + 1, step, losses, correct)
        self.resumed = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, module: LitRecipe) -> None:
        """Report the epoch, write the checkpoint, and end the training if told to."""
        goes_on = self.listener.epoch_done(trainer.current_epoch + 1, self.seconds, self.model)
        if self.checkpoint is not None:
            with self.phases("checkpoints"):
                part = self.checkpoint.with_suffix(".part")
                trainer.save_checkpoint(part)
                replace_durably(part, self.checkpoint)
        trainer.should_stop = not goes_on


def batch_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of a batch, from logits (n, classes) and labels, int64 (n,).

    With label smoothing s, a label has the probability 1 - s, and all classes share s (Szegedy et al., 2016).
    """
    return nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
