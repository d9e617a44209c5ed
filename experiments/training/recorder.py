"""Turns what a backend reports into rows of metrics, kept in the checkpoint and logged to MLflow."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from experiments.contract.model import Model
from experiments.contract.schedule import learning_rates
from experiments.contract.weights import FloatArray
from experiments.data.dataset import Split
from experiments.system.memory import memory_mb
from experiments.training.early_stopping import last_epoch
from experiments.training.scoring import Score, score_model, training_metrics
from experiments.training.session import Session


class Recorder:
    """The listener of one training."""

    def __init__(self, session: Session, *, load_test: Callable[[], Split]) -> None:
        self.session, self.load_test = session, load_test
        self.training, self.state, self.phases = session.training, session.state, session.backend.phases
        self._last_test: tuple[int, Score] | None = None
        self._losses: list[FloatArray] = []
        self._correct = 0
        self._rates = learning_rates(self.training.recipe, len(self.training.images.labels))
        # A stop between an epoch's row and its logging leaves MLflow without it.
        for epoch in self.state.history:
            self._log(epoch)

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        """Log the mean loss of the last steps."""
        if step == len(losses):
            self._losses, self._correct = [], 0
            if epoch == 1:
                self.state.first_batch_loss = float(losses[0])
        self._losses.append(losses)
        self._correct += int(correct.sum())
        steps_before = (epoch - 1) * self.training.steps_per_epoch
        with self.phases("logging"):
            self.session.tracker.metrics([("train/step_loss", float(losses.mean()), steps_before + step)])
        self.session.progress.step(epoch, step)

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        """Score the epoch, keep its row, and log it; return whether another epoch follows."""
        images = self.training.images_per_epoch
        losses = np.concatenate(self._losses)
        row = {"epoch": float(epoch)}
        row |= training_metrics(losses, self._correct, images=images, batch_size=self.training.recipe.batch_size)
        if self.training.validation is not None:
            row |= self._score(model, self.training.validation).metrics("val")
        if self.training.recipe.test_every_epoch:
            row |= self._score_test(epoch, model).metrics("test")
        row |= {"epoch_seconds": seconds, "images_per_second": images / seconds, "memory_mb": memory_mb()}
        if self._rates is not None:
            row["lr"] = float(self._rates[epoch * self.training.steps_per_epoch - 1])
        self._keep(epoch, row)
        # Before the checkpoint is written: an epoch that MLflow lacks then would not be trained again.
        with self.phases("logging"):
            self.session.tracker.flush()
        self.session.progress.epoch(epoch, row)
        last = last_epoch(self.training.recipe, self.state.history)
        if epoch == last < self.training.recipe.epochs and (rule := self.training.recipe.early_stopping):
            self.session.progress.ended_early(f"{rule.metric} hasn't improved for {rule.patience} epoch(s)")
        return epoch < last

    def finish(self, model: Model) -> Score:
        """Return the score of the trained model on the test set; the last epoch's if that has scored it."""
        last = max(self.state.history)
        if self._last_test is not None and self._last_test[0] == last:
            return self._last_test[1]
        final = self._score_test(last, model)
        self._keep(last, self.state.history[last] | final.metrics("test"))
        return final

    def _score_test(self, epoch: int, model: Model) -> Score:
        # On record before it happens, so that no scoring can go unrecorded.
        self.state.test_scorings.append(f"epoch {epoch}, {datetime.now(UTC).isoformat(timespec='seconds')}")
        self.session.save()
        score = self._score(model, self.load_test())
        self._last_test = epoch, score
        return score

    def _score(self, model: Model, split: Split) -> Score:
        with self.phases("scoring"):
            return score_model(model, split)

    def _keep(self, epoch: int, row: dict[str, float]) -> None:
        self.state.history[epoch] = row
        self.session.save()
        self._log(epoch)

    def _log(self, epoch: int) -> None:
        row = self.state.history[epoch]
        with self.phases("logging"):
            self.session.tracker.metrics((name, value, epoch) for name, value in row.items() if name != "epoch")
