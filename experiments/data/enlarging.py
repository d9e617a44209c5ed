"""Bilinear interpolation as a matrix, so that both frameworks compute it alike, in any precision."""

import numpy as np
import numpy.typing as npt


def bilinear(old: int, new: int) -> npt.NDArray[np.float64]:
    """Return R, float64 (new, old): an image X becomes R X Rᵀ, with a matrix for either axis.

    Output pixel i is the input at (i + ½)·old/new - ½, between the two nearest pixels, and the outermost pixel beyond
    them: torch.nn.functional.interpolate with align_corners=False, and tf.image.resize, which knows float32 alone.
    """
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    distances = np.abs(places[:, np.newaxis] - np.arange(old))
    weights: npt.NDArray[np.float64] = np.maximum(1 - distances, 0.0)
    return weights
