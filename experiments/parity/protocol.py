"""Parity's protocol: the settings of its small trainings."""

from dataclasses import dataclass
from typing import Any

from experiments.contract.inputs import input_of
from experiments.contract.model_settings import Precision
from experiments.frameworks import twins
from experiments.settings.params import Params
from experiments.settings.recipe import OptimiserName, Recipe

# Those that each architecture is trained with; `variants` has the other one.
OPTIMISERS: tuple[OptimiserName, ...] = ("sgd", "adam")
# float64 first: a difference there has a reason other than rounding.
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
SETTINGS: dict[OptimiserName, dict[str, Any]] = {
    "sgd": {"optimiser": "sgd", "lr": 0.01, "momentum": 0.9},
    "adam": {"optimiser": "adam", "lr": 0.001, "momentum": None},
    "adamw": {"optimiser": "adamw", "lr": 0.001, "momentum": None},
}
# What parity takes from a recipe: what makes a network and its images. Of how it is trained, nothing.
TAKEN = ("train_on", "scaling", "initialiser", "initialiser_exceptions", "options")


@dataclass(frozen=True)
class Protocol:
    """On how many images parity trains, in which batches, how long, and with which share of a learning rate above."""

    images: int
    batch_size: int
    epochs: int
    lr_share: float = 1.0

    def settings(self, optimiser: OptimiserName) -> dict[str, Any]:
        """Return the settings of an optimiser, as a recipe has them."""
        return {**SETTINGS[optimiser], "lr": SETTINGS[optimiser]["lr"] * self.lr_share}


# 50 steps: 10 batches an epoch, the last of 6 images, so that the handling of a short batch is compared too.
FULL = Protocol(images=150, batch_size=16, epochs=5)
# 5 steps, for a network with more parameters than that, since parity writes all of them after every step. At the start,
# normalisations one after another make the gradients of a deep network thousands of times as large as those of a
# shallow one (Yang et al., A mean field theory of batch normalization, 2019).
LARGE = Protocol(images=40, batch_size=8, epochs=1, lr_share=1e-6)
MOST_PARAMETERS = 5_000_000
# 5 steps, the last of 6 images: for the examples of layers.
EXAMPLE = Protocol(images=70, batch_size=16, epochs=1)
# A network that takes larger images than the dataset's gets no larger ones than these.
MOST_PIXELS = 64
# What both frameworks' Adam is given (models_*/backend/optimizers.py).
ADAM_EPSILON = 1e-8
SEED = 1
# Of how many batches a quantity that is beyond its bound in float32 is computed; the best counts. In a batch, rounding
# may flip a ReLU in neither framework, in both, or, with a probability of at most a half, in one alone.
BATCHES = 16
# The probability with which the check of a correct dropout layer fails (each of its two tests).
DROPOUT_RATE, DROPOUT_ERROR = 0.4, 1e-6
# Dropout changes the first loss by about a per cent; below this fraction of the loss, dropout is off.
DROPOUT_CHANGES = 1e-4


def base_recipe(params: Params, architecture: str) -> Recipe:
    """Return a recipe of an architecture or of a style of it, with what parity takes from a recipe.

    The first of those that `dvc repro` trains, else the first in params.yaml, else a made-up one. All of its layers are
    trained, from weights that are drawn.
    """
    size = input_of(architecture).size
    names = next(({first, *styles} for first, styles in twins().items() if architecture in (first, *styles)), set())
    known = (params.recipe(name) for name in (*params.train.recipes, *params.recipes))
    taken = next(({name: getattr(one, name) for name in TAKEN} for one in known if one.architecture in names), {})
    made_up = {"architecture": "mlp", "scaling": "standardised", "batch_size": FULL.batch_size, "epochs": FULL.epochs}
    # An example of a layer has a name that no recipe may have.
    changes = {"architecture": architecture, "image_size": size and min(size, MOST_PIXELS)}
    return Recipe.model_validate({**made_up, **SETTINGS["sgd"], **taken}).model_copy(update=changes)
