"""A process that trains many models keeps none of them: a worker of a sweep runs for days."""

import gc
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from experiments.contract.backend import Backend, TrainingSettings
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import FloatArray
from experiments.frameworks import load_backend
from experiments.settings.params import load_params
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.isolated import IsolatedProcess
from tests.conftest import ROOT

IMAGES, LABELS = np.zeros((200, 28, 28, 1), np.uint8), np.zeros(200, np.uint16)


class Predict:
    """A listener that uses the model after every epoch."""

    def steps_done(self, epoch: int, step: int, losses: FloatArray, correct: npt.NDArray[np.int64]) -> None:
        pass

    def epoch_done(self, epoch: int, seconds: float, model: Model) -> bool:
        model.predict(IMAGES)
        return True


def left_of_trainings(name: BackendName, recipes: Sequence[Recipe]) -> list[list[int]]:
    """Return how many graphs, modules and models, with the copies of the images on the device, each training leaves.

    The last item is what is left when the models are forgotten once more.
    """
    backend = load_backend(name, device="cpu", threads=1)
    left = []
    for recipe in recipes:
        train(backend, recipe)
        left.append(count_after_forgetting(backend, name))
    return [*left, count_after_forgetting(backend, name)]


def count_after_forgetting(backend: Backend[Model], name: BackendName) -> list[int]:
    backend.forget_models()
    gc.collect()  # what finalizers have released
    return [sum(isinstance(item, kind) for item in gc.get_objects()) for kind in kinds(name)]


def train(backend: Backend[Model], recipe: Recipe) -> None:
    settings = ModelSettings(recipe.architecture, (28, 28, 1), 10, recipe.dropout, 1 / 77, -0.3)
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


def left(backend: BackendName) -> list[list[int]]:
    params, small = load_params(ROOT / "params.yaml"), {"epochs": 1, "batch_size": 50}
    names = ("cnn3-sgd", "cnn3", "lenet", "lenet", "mlp", "cnn3-sgd", "cnn3-sgd")
    recipes = [params.recipe(name).model_copy(update=small) for name in names]
    with IsolatedProcess(backend) as process:
        return process.call(left_of_trainings, backend, recipes)


def test_lightning_keeps_nothing_of_a_training() -> None:
    assert {tuple(counts) for counts in left("lightning")} == {(0, 0)}


def test_keras_keeps_the_last_training_whatever_came_before() -> None:
    first, *others, in_the_end = left("keras")
    assert first[1] == 1
    assert all(counts == first for counts in others)
    assert in_the_end == [0, 0]
