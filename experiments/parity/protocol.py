"""What parity runs: the settings of its small trainings, and the jobs that go to the two processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from experiments.contract.backend import ModelSettings, Precision, TrainingSettings, model_settings
from experiments.data.dataset import Dataset
from experiments.frameworks import takes_dropout, twins
from experiments.settings.params import Params
from experiments.settings.recipe import Recipe

Optimiser = Literal["sgd", "adam"]
OPTIMISERS: tuple[Optimiser, ...] = get_args(Optimiser)
# float64 first: what differs there differs for a reason other than rounding.
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
SETTINGS: dict[Optimiser, dict[str, Any]] = {
    "sgd": {"optimiser": "sgd", "lr": 0.01, "momentum": 0.9},
    "adam": {"optimiser": "adam", "lr": 0.001, "momentum": None},
}
# 10 batches an epoch, of which the last has 6 images, so that what becomes of a last short batch is seen; 50 steps.
IMAGES, BATCH_SIZE, EPOCHS = 150, 16, 5
SEED = 1
# The probability with which the check of a dropout layer fails although nothing is wrong (each of its two tests).
DROPOUT_RATE, DROPOUT_STEPS, DROPOUT_ERROR = 0.4, 2, 1e-6
# Dropout moves the first loss by a per cent or so; what doesn't move it by this share of it is off.
DROPOUT_CHANGES = 1e-4

Kind = Literal["describe", "start", "steps", "dropout"]


@dataclass(frozen=True)
class Job:
    """One thing for a process to do with one model; it leaves its arrays in `folder`.

    `images` is an .npz with images, uint8 (n, height, width), and labels, uint8 (n,).
    """

    kind: Kind
    model: Mapping[str, Any]
    recipe: Mapping[str, Any]
    images: str
    folder: str

    @property
    def model_settings(self) -> ModelSettings:
        """What to build."""
        return ModelSettings(**{**self.model, "image_shape": tuple(self.model["image_shape"])})

    @property
    def training_settings(self) -> TrainingSettings:
        """How to train it: every step is reported."""
        return TrainingSettings(Recipe.model_validate(self.recipe), SEED, log_every_steps=1)


def base_recipe(params: Params, architecture: str) -> Recipe:
    """Return a recipe of an architecture or of a style of it, for its scaling and initialiser, or one made up.

    The first of those that `dvc repro` trains, else the first of all.
    """
    names = next(({first, *styles} for first, styles in twins().items() if architecture in (first, *styles)), set())
    for name in (*params.train.recipes, *params.recipes):
        if params.recipe(name).architecture in names:
            return params.recipe(name).model_copy(update={"architecture": architecture})
    made_up = {"architecture": architecture, "scaling": "standardised", "batch_size": BATCH_SIZE, "epochs": EPOCHS}
    return Recipe.model_validate({**made_up, **SETTINGS["sgd"]})


def make_job(
    kind: Kind,
    base: Recipe,
    dataset: Dataset,
    *,
    images: Path,
    folder: Path,
    optimiser: Optimiser = "sgd",
    precision: Precision = "float64",
    dropout: float = 0.0,
) -> Job:
    """Return a job for the architecture of a recipe, with parity's own optimisers, batches and dropout."""
    changes = {
        **SETTINGS[optimiser],
        "dropout": dropout if takes_dropout(base.architecture) else None,
        "batch_size": BATCH_SIZE,
        "drop_last": False,
        "epochs": EPOCHS,
    }
    recipe = base.model_copy(update=changes)
    settings = model_settings(
        recipe,
        image_shape=dataset.image_shape,
        classes=dataset.classes,
        statistics=dataset.statistics[recipe.train_on],
        precision=precision,
    )
    return Job(kind, asdict(settings), recipe.model_dump(), str(images), str(folder))
