"""Turns what a backend reports into rows of metrics, kept in the checkpoint and tracked in MLflow."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.backend import Model
from experiments.checkpoint import Checkpoint, State
from experiments.dataset import Split
from experiments.params import Recipe
from experiments.progress import TrainingProgress
from experiments.scoring import Score, score_model
from experiments.tracking import Tracker


class Recorder:
    """The listener of one training."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        images_per_epoch: int,
        validation: Split | None,
        load_test: Callable[[], Split],
        state: State,
        checkpoint: Checkpoint,
        tracker: Tracker,
        progress: TrainingProgress,
    ) -> None:
        self.recipe, self.images, self.validation, self.load_test = (
            recipe,
            images_per_epoch,
            validation,
            load_test,
        )
        self.state, self.checkpoint, self.tracker, self.progress = state, checkpoint, tracker, progress
        self.steps = -(-images_per_epoch // recipe.batch_size)
        self.last_test: tuple[int, Score] | None = None
        self._losses: list[npt.NDArray[np.floating[Any]]] = []
        self._correct = 0
        # A stop between an epoch's row and its way to MLflow leaves the store without it.
        for epoch in state.history:
            self._track(epoch)

    def steps_done(
        self, epoch: int, step: int, losses: npt.NDArray[np.floating[Any]], correct: npt.NDArray[np.int64]
    ) -> None:
        """Track the mean loss of the last steps."""
        if step == len(losses):
            self._losses, self._correct = [], 0
            if epoch == 1:
                self.state.first_batch_loss = float(losses[0])
        self._losses.append(losses)
        self._correct += int(correct.sum())
        self.tracker.metrics([("train/step_loss", float(losses.mean()), (epoch - 1) * self.steps + step)])
        self.progress.step(epoch, step)

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        """Score the epoch, keep its row, and track it."""
        row = {"epoch": float(epoch), **self._train_metrics()}
        if self.validation is not None:
            row |= score_model(model, self.validation).metrics("val")
        if self.recipe.test_every_epoch:
            row |= self.score_test(epoch, model).metrics("test")
        row |= {"epoch_seconds": seconds, "images_per_second": self.images / seconds}
        self._keep(epoch, row)
        # Before the checkpoint is written: what the store lacks of an epoch that is not trained again stays lost.
        self.tracker.flush()
        self.progress.epoch(epoch, row)

    def finish(self, model: Model) -> Score:
        """Return the score of the trained model on the test set, from its last epoch if that scored it."""
        epochs = self.recipe.epochs
        if self.last_test is not None and self.last_test[0] == epochs:
            return self.last_test[1]
        final = self.score_test(epochs, model)
        self._keep(epochs, self.state.history[epochs] | final.metrics("test"))
        return final

    def score_test(self, epoch: int, model: Model) -> Score:
        """Score the test set, and keep that it was done."""
        # On record before it happens, so that no scoring can go unmentioned.
        self.state.test_scorings.append(f"epoch {epoch}, {datetime.now(UTC).isoformat(timespec='seconds')}")
        self.checkpoint.save(self.state)
        self.last_test = epoch, score_model(model, self.load_test())
        return self.last_test[1]

    def _train_metrics(self) -> dict[str, float]:
        """Return loss and accuracy of the epoch's images as training saw them."""
        losses = np.concatenate(self._losses).astype(np.float64)
        if len(losses) != self.steps:
            raise RuntimeError(f"the backend reported {len(losses)} steps of an epoch of {self.steps}")
        sizes = np.full(len(losses), self.recipe.batch_size)
        sizes[-1] = self.images - sizes[:-1].sum()
        return {
            "train/loss": float(losses @ sizes / sizes.sum()),
            "train/accuracy": self._correct / self.images,
        }

    def _keep(self, epoch: int, row: dict[str, float]) -> None:
        self.state.history[epoch] = row
        self.checkpoint.save(self.state)
        self._track(epoch)

    def _track(self, epoch: int) -> None:
        row = self.state.history[epoch]
        self.tracker.metrics((name, value, epoch) for name, value in row.items() if name != "epoch")
