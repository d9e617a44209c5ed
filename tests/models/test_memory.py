"""A process that trains many models keeps none of them: a worker of a sweep runs for days."""

import gc

import numpy as np
import numpy.typing as npt
import pytest

from experiments.contract.backend import Backend, Model, ModelSettings, TrainingSettings
from experiments.contract.weights import FloatArray
from experiments.frameworks import load_backend
from experiments.settings.params import load_params
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.isolated import IsolatedProcess
from tests.conftest import ROOT

IMAGES, LABELS = np.zeros((200, 28, 28), np.uint8), np.zeros(200, np.uint8)


class Predict:
    """A listener that uses the model after every epoch."""

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        pass

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> None:
        model.predict(IMAGES)


def left_of_two_trainings(name: BackendName, recipe: Recipe) -> list[int]:
    """Return how many graphs, modules and models, with the copies of the images on the device, are left."""
    backend = load_backend(name, device="cpu", threads=1)
    for _ in range(2):
        train(backend, recipe)
    backend.forget_models()
    gc.collect()  # what finalizers have released
    return [sum(isinstance(item, kind) for item in gc.get_objects()) for kind in kinds(name)]


def train(backend: Backend[Model], recipe: Recipe) -> None:
    settings = ModelSettings(recipe.architecture, (28, 28), 10, recipe.dropout, 1 / 77, -0.3)
    model, training = backend.build(settings), TrainingSettings(recipe, 1, 2)
    backend.train(model, IMAGES, LABELS, training, checkpoint=None, listener=Predict())


def kinds(name: BackendName) -> tuple[type, ...]:
    if name == "keras":
        from tensorflow.python.framework.func_graph import FuncGraph

        from models_tf.backend.training import KerasRecipe

        return FuncGraph, KerasRecipe
    from models_torch.backend.model import TorchModel
    from models_torch.backend.training import LitRecipe

    return LitRecipe, TorchModel


@pytest.mark.parametrize("recipe", ["cnn3-sgd", "cnn3"])
@pytest.mark.parametrize("backend", ["lightning", "keras"])
def test_nothing_is_left_of_a_training(backend: BackendName, recipe: str) -> None:
    changed = load_params(ROOT / "params.yaml").recipe(recipe).model_copy(update={"epochs": 1, "batch_size": 50})
    with IsolatedProcess(backend) as process:
        assert process.call(left_of_two_trainings, backend, changed) == [0, 0]
