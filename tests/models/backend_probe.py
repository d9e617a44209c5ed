"""Small trainings of one backend, each written as an .npz; run in a process of its own, which imports one framework."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import TrainingSettings
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import draw_weights
from experiments.data import feed
from experiments.data.dataset import Images, ImageShape, Labels, PixelType, batch_order
from experiments.frameworks import load_backend, load_inspection
from experiments.settings.recipe import BackendName, Recipe

# 230 = 7·32 + 6, and 8 = 2·3 + 2: the last batch and the last report of an epoch are short.
IMAGES, BATCH, EPOCHS, EVERY = 230, 32, 3, 3
Array = npt.NDArray[Any]
SGD: dict[str, Any] = {"optimiser": "sgd", "lr": 0.02, "momentum": 0.5}
ADAM: dict[str, Any] = {"optimiser": "adam", "lr": 0.001, "momentum": None}
# With all that changes from step to step, or is kept from one to the next.
FALLING: dict[str, Any] = {
    **ADAM,
    "optimiser": "adamw",
    "weight_decay": 0.1,
    "schedule": {"kind": "cosine", "warmup_steps": 10},
    "clip_norm": 1.0,
}


def data() -> tuple[Images, Labels]:
    """Images of noise whose brightness tells the class a little, so that there is something to learn."""
    generator = np.random.default_rng(7)
    labels = generator.integers(0, 10, IMAGES).astype(np.uint16)
    images = generator.integers(0, 120, (IMAGES, 28, 28, 1)) + 12 * labels[:, None, None, None]
    return images.astype(np.uint8), labels


def recipe(**settings: Any) -> Recipe:
    base = {"architecture": "lenet", "scaling": "standardised", "batch_size": BATCH, "epochs": EPOCHS}
    return Recipe.model_validate({**base, **SGD, **settings})


class Interrupted(Exception):
    """Stands for a kill."""


class Recorder:
    """A listener that keeps all that is reported."""

    def __init__(self, stop_after: int | None = None, end_after: int | None = None) -> None:
        self.stop_after, self.end_after = stop_after, end_after
        self.losses: list[npt.NDArray[np.float32]] = []
        self.correct: list[npt.NDArray[np.int64]] = []
        self.reports: list[tuple[int, int]] = []
        self.epochs: list[int] = []

    def steps_done(
        self, epoch: int, step: int, losses: npt.NDArray[np.float32], correct: npt.NDArray[np.int64]
    ) -> None:
        if self.stop_after is not None and epoch > self.stop_after:
            raise Interrupted
        self.losses.append(losses)
        self.correct.append(correct)
        self.reports.append((epoch, step))

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        assert seconds > 0
        self.epochs.append(epoch)
        return epoch != self.end_after

    def arrays(self) -> dict[str, Array]:
        return {
            "losses": np.concatenate(self.losses),
            "correct": np.concatenate(self.correct),
            "reports": np.array(self.reports),
            "epochs": np.array(self.epochs),
        }


class Probe:
    def __init__(self, name: BackendName, folder: Path) -> None:
        backend = load_backend(name, device="cpu", threads=1)
        self.backend, self.folder = backend, folder
        self.inspection = load_inspection(name)
        self.images, self.labels = data()
        self.shape: ImageShape = (28, 28, 1)
        self.pixel_type: PixelType = "uint8"

    def model(self, settings: Recipe, seed: int = 1) -> Model:
        scale = 60 if self.pixel_type == "uint8" else 60 * 256
        taken = ModelSettings(settings.architecture, self.shape, 10, settings.dropout, 1 / scale, -2.0)
        built = self.backend.build(replace(taken, pixel_type=self.pixel_type))
        built.set_weights(draw_weights(built.parameters(), settings, seed=seed))
        return built

    def train(
        self, settings: Recipe, *, checkpoint: Path | None = None, stop_after: int | None = None
    ) -> tuple[Model, Recorder]:
        model, recorder = self.model(settings), Recorder(stop_after)
        self.inspection.layers(model)  # as the train stage does; it must not change the training
        training = TrainingSettings(settings, 1, EVERY)
        self.backend.train(model, self.images, self.labels, training, checkpoint=checkpoint, listener=recorder)
        return model, recorder

    def save(self, name: str, model: Model, recorder: Recorder | None = None) -> None:
        arrays: dict[str, Any] = {f"weights:{key}": value for key, value in model.get_weights().items()}
        np.savez(self.folder / f"{name}.npz", **(arrays | (recorder.arrays() if recorder else {})))

    def run(self) -> None:
        start = self.model(recipe())
        self.save("start", start)
        np.savez(self.folder / "logits.npz", logits=start.predict(self.images))
        self.save("sgd", *self.train(recipe()))
        self.save("sgd again", *self.train(recipe()))
        self.save("adam", *self.train(recipe(**ADAM)))
        self.save("drop last", *self.train(recipe(drop_last=True)))
        dropout = recipe(architecture="cnn3", dropout=0.4, **FALLING)
        self.save("dropout", *self.train(dropout))
        np.savez(self.folder / "cnn3 logits.npz", logits=self.model(dropout).predict(self.images))
        self.save("no dropout", *self.train(recipe(architecture="cnn3", dropout=0.0, **FALLING)))
        for style in ("cnn3-functional", "cnn3-subclassed"):
            self.save(style, *self.train(recipe(architecture=style, dropout=0.4, **FALLING)))
        self.ended_early()
        for architecture in ("lenet", "inception", "cnn3-subclassed"):
            self.saved(architecture)
        with patch.multiple(feed, MOST_BYTES=0, BLOCK_BYTES=2 * BATCH * self.images[:1].nbytes):
            self.save("fed", *self.train(recipe()))
        augmentation = {"shift": 2, "flip": True, "rotate": 10}
        augmented = recipe(augmentation=augmentation, schedule={"kind": "cosine"}, weight_decay=0.001)
        self.save("augmented", *self.train(augmented))
        several = (("sgd", recipe()), ("adam", recipe(**ADAM)), ("dropout", dropout), ("augmented", augmented))
        for name, settings in several:
            self.interrupted(name, settings)
        self.colour()

    def colour(self) -> None:
        """Train on images of 32×32 pixels in colour, with 16 bits, on the device and fed to it."""
        generator, shape = np.random.default_rng(8), (32, 32, 3)
        self.images = generator.integers(0, 2**16, (IMAGES, *shape), np.uint16)
        self.shape, self.pixel_type = shape, "uint16"
        self.save("colour", *self.train(recipe(epochs=1)))
        with patch.multiple(feed, MOST_BYTES=0):
            self.save("colour, fed", *self.train(recipe(epochs=1)))

    def saved(self, architecture: str) -> None:
        model = self.model(recipe(architecture=architecture, dropout=0.4 if "cnn3" in architecture else None))
        (self.folder / architecture).mkdir()
        model.save(self.folder / architecture)
        np.save(self.folder / architecture / "input.npy", model.native_input(self.images))
        np.save(self.folder / architecture / "logits.npy", model.predict(self.images))

    def ended_early(self) -> None:
        """Let the listener end a training after 2 epochs of 3; then resume it, as if it had been killed there."""
        checkpoint, settings = self.folder / "ended.weights.h5", TrainingSettings(recipe(), 1, EVERY)
        self.save("two epochs", *self.train(recipe(epochs=2)))
        for name, training in (("ended", settings), ("ended, resumed", replace(settings, last_epoch=2))):
            model, recorder, data = self.model(recipe()), Recorder(end_after=2), (self.images, self.labels)
            self.backend.train(model, *data, training, checkpoint=checkpoint, listener=recorder)
            self.save(name, model, recorder if recorder.epochs else None)

    def interrupted(self, name: str, settings: Recipe) -> None:
        checkpoint = self.folder / f"{name}.weights.h5"
        with expected(Interrupted):
            self.train(settings, checkpoint=checkpoint, stop_after=1)
        self.save(f"{name} resumed", *self.train(settings, checkpoint=checkpoint))
        model, recorder = self.train(settings, checkpoint=checkpoint)  # nothing is left to do
        assert recorder.epochs == []
        self.save(f"{name} resumed at the end", model)


@contextmanager
def expected(error: type[Exception]) -> Iterator[None]:
    try:
        yield
    except error:
        return
    raise AssertionError(f"{error.__name__} did not happen")


def first_batch_by_hand(losses_of: npt.NDArray[np.float32], labels: Labels) -> float:
    """Return the loss of the first batch of epoch 1 from logits of all images."""
    from experiments.training.scoring import score

    order = batch_order(IMAGES, seed=1, epoch=1, batch_size=BATCH, drop_last=False)[:BATCH]
    return score(losses_of[order], labels[order]).loss


def run(name: BackendName, folder: Path) -> None:
    """Run all scenarios."""
    Probe(name, folder).run()


def gpu(name: BackendName) -> None:
    """Set the backend up for a GPU."""
    load_backend(name, device="gpu", threads=1)


def train_without_room(name: BackendName, folder: Path) -> None:
    """Train where no file may be larger than 1 MB: the system refuses the checkpoint, as a full disk does."""
    probe = Probe(name, folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    probe.train(recipe(), checkpoint=folder / "last.weights.h5")


def load_torch(folder: Path, architecture: str) -> Array:
    """Return the logits of a saved PyTorch model."""
    import torch

    with torch.no_grad():
        logits: Array = (
            torch.export.load(folder / "model.pt2").module()(torch.from_numpy(np.load(folder / "input.npy"))).numpy()
        )
    return logits


def load_keras(folder: Path, architecture: str) -> Array:
    """Return the logits of a saved Keras model."""
    import keras

    if "subclassed" in architecture:
        import models_tf.cnn3_subclassed  # noqa: F401 - a class of one's own must be registered before loading
    logits: Array = keras.models.load_model(folder / "model.keras").predict(np.load(folder / "input.npy"), verbose=0)
    return logits
