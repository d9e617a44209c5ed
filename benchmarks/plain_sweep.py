"""A sweep as one would write it by hand with Optuna and Lightning: the baseline of `benchmarks.sweep`.

`python -m benchmarks.plain_sweep FOLDER TRIALS` tunes lr and momentum of LeNet for one epoch a trial on the images
prepared in FOLDER: one `study.optimize` loop, a `DataLoader` over PIL images, Lightning's `MLFlowLogger`, Optuna's
pruning callback. Prints the seconds of each trial as JSON.
"""

import itertools
import json
import logging
import sys
import time
import warnings
from pathlib import Path

import lightning.pytorch as pl
import optuna
import torch
from lightning.pytorch.loggers import MLFlowLogger
from optuna_integration import PyTorchLightningPruningCallback
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from benchmarks.pil_images import PilImages
from benchmarks.workload import BATCH
from experiments.data.dataset import IMAGE_SHAPE, Split, load_dataset
from models_torch import lenet
from models_torch.backend.lazy import give_sizes, lazy_layers


class LitLeNet(pl.LightningModule):
    """LeNet, as in Lightning's own examples."""

    def __init__(self, lr: float, momentum: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        with lazy_layers():
            self.network = lenet.build(classes=10)
        give_sizes(self.network, IMAGE_SHAPE)
        self.lr, self.momentum = lr, momentum

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Return the loss of a batch."""
        images, labels = batch
        loss = cross_entropy(self.network(images), labels)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        """Log loss and accuracy."""
        images, labels = batch
        logits = self.network(images)
        self.log("val/loss", cross_entropy(logits, labels))
        self.log("val/accuracy", (logits.argmax(1) == labels).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return SGD."""
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=self.momentum)


def loader(split: Split, *, shuffle: bool) -> DataLoader[tuple[torch.Tensor, int]]:
    """Return a loader of PIL images, transformed one by one."""
    return DataLoader(PilImages(split.images, split.labels), batch_size=BATCH, shuffle=shuffle)


def main(folder: Path, trials: int) -> None:
    """Run the study."""
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    dataset = load_dataset(folder / "prepared")
    train, validation = dataset.split("train"), dataset.split("validation")

    def objective(trial: optuna.Trial) -> float:
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        model = LitLeNet(lr, trial.suggest_float("momentum", 0.0, 0.99))
        trainer = pl.Trainer(
            max_epochs=1,
            accelerator="cpu",
            logger=MLFlowLogger("plain", tracking_uri=f"sqlite:///{folder}/plain.db"),
            callbacks=[PyTorchLightningPruningCallback(trial, monitor="val/loss")],
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
        trainer.fit(model, loader(train, shuffle=True), loader(validation, shuffle=False))
        return float(trainer.callback_metrics["val/loss"])

    study = optuna.create_study(storage=f"sqlite:///{folder}/plain_optuna.db", direction="minimize")
    ends = [time.monotonic()]
    study.optimize(objective, n_trials=trials, callbacks=[lambda study, trial: ends.append(time.monotonic())])
    print(json.dumps([after - before for before, after in itertools.pairwise(ends)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
