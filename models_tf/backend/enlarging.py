"""Enlarges the scaled images in front of a network, and gives them its channels."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, layers, ops

from experiments.contract.model_settings import ModelSettings
from experiments.data.enlarging import bilinear


@keras.saving.register_keras_serializable("tandem")
class Enlarge(layers.Layer):
    """Bilinear interpolation, as `experiments.data.enlarging` has it: (n, h, w, 1 or channels) → (n, …, channels).

    Keras's own layer, as tf.image.resize, computes in float32 alone.
    """

    def __init__(self, new: Sequence[int], channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.new, self.channels = tuple(new), channels

    def call(self, images: KerasTensor) -> KerasTensor:
        """Return the images enlarged, a single channel repeated."""
        sizes = zip(images.shape[1:3], self.new, strict=True)
        rows, columns = (ops.convert_to_tensor(bilinear(old, new), self.compute_dtype) for old, new in sizes)
        enlarged = ops.einsum("ih,nhwc,jw->nijc", rows, images, columns)
        return enlarged if images.shape[-1] == self.channels else ops.repeat(enlarged, self.channels, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, height, width, channels)."""
        return input_shape[0], *self.new, self.channels

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return super().get_config() | {"new": self.new, "channels": self.channels}


def enlarging(settings: ModelSettings) -> list[layers.Layer]:
    """Return what stands between the scaling and the network: nothing, for the dataset's own images."""
    if settings.takes_images_as_they_are:
        return []
    *size, channels = settings.network_shape
    return [Enlarge(size, channels, name="enlarge")]
