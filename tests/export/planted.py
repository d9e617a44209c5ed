"""Faults of an export to plant in a framework's process, for one job at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from tests.parity import planted


class FaultyProcess(planted.BuggyProcess):
    """A process that does its jobs with one of the faults below."""

    bugs = f"{__name__}:FAULTS"


def scaling_left_out() -> Any:
    """The network in the file gets the pixels as they are."""
    from models_torch.backend.exporting import ChannelsLast

    def forward(layer: Any, images: Any) -> Any:
        return layer.model.network(images.permute(0, 3, 1, 2).float())

    return patch.object(ChannelsLast, "forward", forward)


def axes_swapped() -> Any:
    """The file takes images (n, width, height, channels)."""
    import keras

    from models_tf.backend.model import KerasModel

    def native(model: KerasModel) -> Any:
        images = keras.Input(model.settings.image_shape, dtype=model.settings.pixel_type, name="images")
        return keras.Sequential([images, keras.layers.Permute((2, 1, 3)), model.module])

    return patch.object(KerasModel, "native", native)


FAULTS: dict[str, tuple[str, Callable[[], AbstractContextManager[Any]]]] = {
    "scaling left out": ("lightning", scaling_left_out),
    "axes swapped": ("keras", axes_swapped),
}
