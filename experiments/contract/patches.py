"""The patches of an image, which are the tokens of a vision transformer."""

from experiments.data.dataset import ImageShape
from experiments.system.errors import TandemError


def count_patches(image_shape: ImageShape, patch: int) -> int:
    """Return how many square patches of `patch` pixels an image (height, width, channels) is made of.

    Raises:
        TandemError: its height and width aren't multiples of `patch`.
    """
    height, width, _ = image_shape
    if patch < 1 or height % patch or width % patch:
        fitting = [str(size) for size in range(2, min(height, width)) if height % size == width % size == 0]
        expected = f"options.patch of a recipe: expected a size that images of {height}×{width} are whole patches of"
        advice = f"set one of {', '.join(fitting)}" if fitting else "resize the images"
        raise TandemError(f"{expected}; got {patch}", advice=advice)
    return (height // patch) * (width // patch)
