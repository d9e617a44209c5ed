"""Whether a recipe fits its dataset: refused before any work starts."""

from experiments.contract.inputs import input_of
from experiments.contract.schedule import steps_of_epoch, warmup_of
from experiments.data.dataset import Dataset
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError

# The channels that ImageNet's statistics are for.
COLOURS = 3


def check_fits(name: str, recipe: Recipe, dataset: Dataset) -> None:
    """Refuse a recipe that doesn't fit its dataset.

    Raises:
        TandemError: the scaling or the architecture is for images of other channels or smaller ones, there is not one
            whole batch and short ones are dropped, or the warm-up of the learning rate is longer than the training.
    """
    key = f"params.yaml: recipes.{name}"
    _check_images(key, recipe, dataset)
    images = len(dataset.training_split(recipe.train_on).labels)
    if recipe.drop_last and images < recipe.batch_size:
        raise TandemError(
            f"{key}.batch_size: expected at most {images}, "
            f"the number of training images, since drop_last is true; got {recipe.batch_size}"
        )
    warmup, steps = warmup_of(recipe, images), steps_of_epoch(recipe, images) * recipe.epochs
    if warmup >= steps:
        raise TandemError(
            f"{key}.schedule: expected a warm-up of fewer than {steps} steps, which "
            f"{recipe.epochs} epoch(s) have; got {warmup}; shorten it, or train longer"
        )


def _check_images(key: str, recipe: Recipe, dataset: Dataset) -> None:
    (height, width, channels), takes = dataset.image_shape, input_of(recipe.architecture).channels
    if takes and channels not in (1, takes):
        expected = f"expected images of 1 or {takes} channels, which {recipe.architecture} takes"
        raise TandemError(f"{key}: {expected}; got {channels} in prepared/; take another architecture")
    if recipe.scaling == "imagenet" and (takes or channels) != COLOURS:
        expected = f"expected unit or standardised, since {recipe.architecture} gets images of {channels} channel"
        raise TandemError(f"{key}.scaling: {expected}; got imagenet, which is for {COLOURS}")
    if recipe.image_size is not None and recipe.image_size < max(height, width):
        expected = f"expected at least {max(height, width)}, since images are enlarged alone"
        raise TandemError(f"{key}.image_size: {expected}; got {recipe.image_size}")
