"""A training that stops early ends after the same epoch whatever is killed, with the bits of an undisturbed one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from experiments.data.digits import write_digits
from experiments.frameworks import PACKAGES
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import BackendName, Recipe
from experiments.stages.preprocess import preprocess
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess
from experiments.training.early_stopping import last_epoch
from experiments.training.messages import EpochDone, Order, Reply
from experiments.training.remote import train_order
from experiments.training.training import make_training
from tests.models.backend_probe import recipe

EPOCHS = 8
NAN = float("nan")


def stopping(**rule: Any) -> Recipe:
    return recipe(architecture="mlp", epochs=EPOCHS, early_stopping=rule)


def rows(metric: str, *values: float) -> dict[int, dict[str, float]]:
    return {epoch: {metric: value} for epoch, value in enumerate(values, 1)}


@pytest.mark.parametrize(
    ("rule", "values", "last"),
    [
        ({"patience": 2}, [1.0, 0.9, 0.95, 0.9, 0.1], 4),  # as good as the best is no improvement
        ({"patience": 2}, [1.0, 0.9, 0.95, 0.8, 0.9, 0.9], 6),
        ({"patience": 2}, [1.0, 0.9, 0.95], EPOCHS),
        ({"patience": 1, "min_delta": 0.25}, [1.0, 0.75], 2),
        ({"patience": 1, "min_delta": 0.25}, [1.0, 0.5, 0.125], EPOCHS),
        ({"patience": 2, "metric": "val/accuracy"}, [0.5, 0.75, 0.75, 0.5, 1.0], 4),
        ({"patience": 2}, [NAN, NAN, 0.5], 2),
        ({"patience": 2}, [], EPOCHS),
    ],
)
def test_a_training_ends_once_patience_is_exhausted(rule: dict[str, Any], values: list[float], last: int) -> None:
    assert last_epoch(stopping(**rule), rows(rule.get("metric", "val/loss"), *values)) == last


class Killed(Exception):
    """Stands for a kill."""


@dataclass
class Trainer:
    """Trains one recipe in one framework, as a worker does; a kill in an epoch takes its checkpoint with it."""

    project: Project
    params: Params
    backend: BackendName
    epochs: list[int] = field(default_factory=list)

    def train(self, folder: str, *, killed_in: int = 0) -> tuple[tuple[float, ...], str]:
        """Return the objective after each epoch, and the digest of the last weights."""
        self.epochs = []

        def send(message: object) -> Reply:
            if isinstance(message, EpochDone):
                if message.epoch == killed_in:
                    raise Killed
                self.epochs.append(message.epoch)
            return Reply.GO_ON

        training = make_training(self.project, self.params, RunKey("mlp", self.backend, 1))
        order = Order(
            project=self.project,
            key=training.key,
            recipe=training.recipe,
            dataset=training.dataset.fingerprint,
            code=training.code,
            device="cpu",
            threads=1,
            log_every_steps=50,
            folder=self.project.root / folder,
            earlier=(),
            objective="val/loss",
        )
        outcome = train_order(send, order)
        assert outcome.state == "complete"
        return outcome.values, outcome.tags["final_weights"]


def undisturbed_and_killed(project: Project, params: Params, backend: BackendName) -> None:
    trainer = Trainer(project, params, backend)
    undisturbed = trainer.train("undisturbed")
    last = len(undisturbed[0])
    assert 2 < last < EPOCHS, f"it doesn't stop early: {undisturbed[0]}"
    assert trainer.epochs == [*range(1, last + 1)]
    for killed_in in (2, last):
        with pytest.raises(Killed):
            trainer.train(f"killed-{killed_in}", killed_in=killed_in)
        assert trainer.train(f"killed-{killed_in}") == undisturbed
        assert trainer.epochs == [*range(killed_in, last + 1)]
    # Killed after its last epoch, before anything else was written: nothing is left to train.
    assert trainer.train("undisturbed") == undisturbed
    assert trainer.epochs == []


def refused_without_a_gpu(project: Project, params: Params, backend: BackendName) -> None:
    tf32 = params.recipe("mlp").model_copy(update={"precision": "tf32"})
    trainer = Trainer(project, params.model_copy(update={"recipes": {"mlp": tf32}}), backend)
    message = r"^params\.yaml: recipes\.mlp\.precision: expected float32 or bfloat16, since .*; got tf32; use float32"
    with pytest.raises(TandemError, match=message):
        trainer.train("tf32", killed_in=1)


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_a_kill_in_any_epoch_changes_neither_the_end_nor_the_bits(
    params: Params, tmp_path: Path, backend: BackendName
) -> None:
    project = Project(tmp_path, tmp_path)
    write_digits(tmp_path / "data")
    preprocess(params.preprocess, tmp_path / "data", project.prepared)
    # The schedule counts all epochs, however many are trained.
    changes = {
        "precision": "bfloat16",
        "optimiser": "adam",
        "momentum": None,
        "lr": 0.002,
        "batch_size": 64,
        "epochs": EPOCHS,
        "schedule": {"kind": "cosine"},
    }
    settings = {**params.recipe("mlp").model_dump(), **changes, "early_stopping": {"patience": 1, "min_delta": 0.05}}
    changed = params.model_copy(update={"recipes": {"mlp": Recipe.model_validate(settings)}})
    with IsolatedProcess(backend) as process:
        process.call(refused_without_a_gpu, project, changed, backend)
        process.call(undisturbed_and_killed, project, changed, backend)
