"""How a training starts: the model of a recipe, with its initial weights."""

from collections.abc import Sequence

from experiments.contract.backend import Backend
from experiments.contract.layers import shown
from experiments.contract.model import ModelT
from experiments.contract.model_settings import model_settings
from experiments.contract.weights import Parameter, Weights, draw_weights
from experiments.data.dataset import Dataset
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError


def build_model(
    backend: Backend[ModelT], recipe: Recipe, dataset: Dataset, *, seed: int, given: Weights | None = None
) -> ModelT:
    """Return the model of a recipe with the weights that NumPy draws from the seed, or those that are given.

    Raises:
        TandemError: `initialiser_exceptions` names a parameter that the model lacks, `freeze` a layer that it lacks, or
            all of them; or the given weights are those of another network.
    """
    model = backend.build(model_settings(recipe, dataset))
    parameters = model.parameters()
    if not any(parameter.trainable for parameter in parameters):
        raise TandemError(
            f"params.yaml: freeze of a recipe: expected a layer that is trained; got {', '.join(recipe.freeze)}, which "
            "is all of them; shorten the list"
        )
    drawn = draw_weights(parameters, recipe, seed=seed)
    model.set_weights(drawn if given is None else start_from(given, drawn, parameters))
    return model


def start_from(given: Weights, drawn: Weights, parameters: Sequence[Parameter]) -> Weights:
    """Return the given weights; those of an output layer for another number of classes are as drawn.

    Raises:
        TandemError: an array is missing, not known, or of another shape: the first of them is named.
    """
    own = new_output(given, parameters)
    for name in (*drawn, *given):
        if name in given and name in drawn and (given[name].shape == drawn[name].shape or _layer(name) == own):
            continue
        expected = shown(drawn[name].shape) if name in drawn else "no such array"
        got = shown(given[name].shape) if name in given else "no such array"
        problem = f"params.yaml: weights of a recipe: {name}: expected {expected}; got {got} in the file"
        raise TandemError(problem, advice="name a file with the weights of this architecture")
    return {name: drawn[name] if _layer(name) == own else given[name] for name in drawn}


def new_output(given: Weights, parameters: Sequence[Parameter]) -> str | None:
    """Return the output layer, the last one with weights, if it is given for another number of classes."""
    own = {one.name: one.shape for one in parameters if _layer(one.name) == _layer(parameters[-1].name)}
    if not own.keys() <= given.keys():
        return None
    pairs = [(shape, given[name].shape) for name, shape in own.items()]
    same_inputs = all(shape[1:] == other[1:] for shape, other in pairs)
    return _layer(parameters[-1].name) if same_inputs and any(shape != other for shape, other in pairs) else None


def _layer(name: str) -> str:
    return name.rpartition("/")[0]
