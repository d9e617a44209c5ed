"""The jobs of a conversion, each run in one framework, in a process of its own."""

from collections.abc import Mapping
from pathlib import Path

from experiments.contract.model import Logits
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import Weights
from experiments.data.dataset import Dataset
from experiments.parity.sides import Side, load_side
from experiments.settings.recipe import BackendName


def read(side: Side, settings: ModelSettings, folder: Path) -> Weights:
    """Return the parameters and the state of a saved model."""
    model = load_side(side)[0].build(settings)
    model.load(folder)
    return model.get_weights()


def write(side: Side, settings: ModelSettings, weights: Weights, folder: Path) -> None:
    """Save a model with these parameters and this state into a new folder."""
    model = load_side(side)[0].build(settings)
    model.set_weights(weights)
    folder.mkdir()
    model.save(folder)


def answer(side: Side, settings: ModelSettings, saved: Mapping[BackendName, Path], dataset: Dataset) -> Logits:
    """Return the logits of the saved model of this side for the test images."""
    model = load_side(side)[0].build(settings)
    model.load(saved[side.backend])
    return model.predict(dataset.split("test").images)
