"""What a processor without bfloat16 of its own makes of TensorFlow's matrix products."""

import numpy as np
import pytest

from experiments.frameworks import load_backend
from experiments.system.isolated import IsolatedProcess


def share_rounded_otherwise() -> float:
    """Return how many numbers of a product in bfloat16 aren't the exact ones, rounded once; in TensorFlow."""
    load_backend("keras", device="cpu", threads=1)  # TensorFlow as a training has it
    import tensorflow as tf

    generator = np.random.default_rng(0)
    first, second = (tf.cast(generator.standard_normal(shape), tf.bfloat16) for shape in ((64, 500), (500, 100)))
    exact = tf.cast(first, tf.float64) @ tf.cast(second, tf.float64)
    return float(np.mean((first @ second).numpy() != tf.cast(exact, tf.bfloat16).numpy()))


def skip_if_products_are_rounded_within() -> None:
    """Skip a test of bfloat16 that has found a difference, if it is that of the processor, see docs/settings.md."""
    with IsolatedProcess("keras") as process:
        share = process.call(share_rounded_otherwise)
    if share > 0.1:  # 0.0003 where sums are float32, as PyTorch's are on any processor
        pytest.skip(f"TensorFlow rounds within matrix products on this processor: {share:.0%} of the numbers differ")
