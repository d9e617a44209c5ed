"""What a model is built from: the recipe's share of it, and the dataset's."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

from experiments.contract.inputs import input_of
from experiments.contract.scaling import scaling_of
from experiments.data.dataset import Dataset, ImageShape, PixelType
from experiments.settings.recipe import Option, Recipe

# Of a model's weights, and of all that it computes outside of training; a recipe's `precision` is that of its steps.
Precision = Literal["float32", "float64"]
# How many of the dataset's images a forward pass in evaluation takes.
PREDICT_BATCH = 1000


@dataclass(frozen=True)
class ModelSettings:
    """What a model is built from.

    `dropout` is None for an architecture that has none. The pixels, of `pixel_type`, become `pixel * scale + offset`,
    one number for all or one a channel, in the precision of the weights and of all that is computed. `image_shape` is
    the images' (height, width, channels). The network gets them enlarged to `size` pixels in both directions, with
    `channels`, of which a grey image has copies (None: as they are). `freeze` names the layers that aren't trained;
    `options` are what the architecture's factory takes besides.
    """

    architecture: str
    image_shape: ImageShape
    classes: int
    dropout: float | None
    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...]
    precision: Precision = "float32"
    size: int | None = None
    channels: int | None = None
    freeze: tuple[str, ...] = ()
    pixel_type: PixelType = "uint8"
    options: tuple[tuple[str, Option], ...] = ()

    def arguments_of(self, factory: Callable[..., Any]) -> dict[str, Any]:
        """Return what the factory of the architecture is called with; the shape of its images, if it takes that."""
        shape = {"image_shape": self.network_shape} if "image_shape" in signature(factory).parameters else {}
        dropout = {} if self.dropout is None else {"dropout": self.dropout}
        return {"classes": self.classes, **shape, **dropout, **dict(self.options)}

    @property
    def network_shape(self) -> ImageShape:
        """The height, the width and the channels of what the network gets."""
        height, width, channels = self.image_shape
        return self.size or height, self.size or width, self.channels or channels

    @property
    def takes_images_as_they_are(self) -> bool:
        """Whether the network gets the scaled images, neither enlarged nor with other channels."""
        return self.network_shape == self.image_shape

    @property
    def predict_batch(self) -> int:
        """How many images a forward pass in evaluation takes: fewer if they are enlarged, for they need memory."""
        return max(1, PREDICT_BATCH * math.prod(self.image_shape[:2]) // math.prod(self.network_shape[:2]))


def model_settings(recipe: Recipe, dataset: Dataset, precision: Precision = "float32") -> ModelSettings:
    """Return what to build for a recipe on a dataset, with the statistics of the images that the recipe trains on."""
    scale, offset = scaling_of(recipe, dataset)
    takes = input_of(recipe.architecture)
    return ModelSettings(
        recipe.architecture,
        dataset.image_shape,
        dataset.classes,
        recipe.dropout,
        scale,
        offset,
        precision,
        size=recipe.image_size or takes.size,
        channels=takes.channels,
        freeze=tuple(recipe.freeze),
        options=recipe.option_pairs,
        pixel_type=dataset.pixel_type,
    )
