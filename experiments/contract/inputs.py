"""What architectures take, where that is anything but the dataset's own images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """The images that a network takes: `size` pixels high and wide, with `channels` (None: as the dataset has them).

    `classes` are those of the published network, which `tandem shapes` counts; None: the dataset's.
    """

    size: int | None = None
    channels: int | None = None
    classes: int | None = None


# Such a network takes images of any size: a recipe's `image_size` is instead of the one here.
INPUTS: dict[str, Input] = {
    "resnet101": Input(size=224, channels=3, classes=1000),
}


def input_of(architecture: str) -> Input:
    """Return what an architecture takes."""
    return INPUTS.get(architecture, Input())
