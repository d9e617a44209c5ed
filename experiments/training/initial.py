"""How a training starts: the model of a recipe, with its initial weights."""

from experiments.contract.backend import Backend, ModelT, model_settings
from experiments.contract.weights import draw_weights
from experiments.data.dataset import Dataset
from experiments.settings.recipe import Recipe


def build_model(backend: Backend[ModelT], recipe: Recipe, dataset: Dataset, *, seed: int) -> ModelT:
    """Return the model of a recipe with the weights that NumPy draws from the seed.

    Raises:
        TandemError: `initialiser_exceptions` names a parameter that the model lacks.
    """
    model = backend.build(model_settings(recipe, dataset))
    model.set_weights(draw_weights(model.parameters(), recipe, seed=seed))
    return model
