"""How pixels become what a network gets: `pixel * scale + offset`."""

from experiments.data.dataset import Dataset, Statistics, largest_pixel
from experiments.settings.recipe import Recipe

# One for all pixels, or one a channel.
Numbers = float | tuple[float, ...]
# What torchvision's weights expect of red, green and blue, scaled to 0..1 (its documentation of the transforms).
IMAGENET = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def scaling_of(recipe: Recipe, dataset: Dataset) -> tuple[Numbers, Numbers]:
    """Return scale and offset.

    `unit` scaling takes pixels to 0..1, x/255 (of 16 bits, x/65535); `standardised` to mean 0 and deviation 1, (x/255 -
    mean) / std, in colour of each channel; `imagenet` does so with ImageNet's mean and deviation of each channel.
    """
    white = largest_pixel(dataset.pixel_type)
    if recipe.scaling == "unit":
        return 1 / white, 0.0
    known = IMAGENET if recipe.scaling == "imagenet" else dataset.statistics[recipe.train_on]
    pairs = list(zip(_channels(known.mean), _channels(known.std), strict=True))
    scales, offsets = tuple(1 / (white * std) for _, std in pairs), tuple(-mean / std for mean, std in pairs)
    return (scales, offsets) if len(pairs) > 1 else (scales[0], offsets[0])


def _channels(numbers: Numbers) -> tuple[float, ...]:
    return numbers if isinstance(numbers, tuple) else (numbers,)
