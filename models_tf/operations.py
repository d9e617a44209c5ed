"""What the calls of `tandem ops` see in TensorFlow and Keras: their names, and the table's arrays as tensors."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.system.quiet import quiet_native_stderr

# TensorFlow takes oneDNN where the processor is new enough, and some answers are other ones then: one table for all.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

with quiet_native_stderr():
    import tensorflow as tf
    from keras import ops

# By library: what stands before the dot in a call.
NAMES: dict[str, dict[str, Any]] = {
    "tensorflow": {"np": np, "tf": tf},
    "keras": {"np": np, "ops": ops},
}

tf.config.set_visible_devices([], "GPU")


def tensor(library: str, array: npt.NDArray[Any]) -> Any:
    """Return an array as a call in that library gets it."""
    return tf.constant(array)
