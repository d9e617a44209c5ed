"""The ways to run a function in TensorFlow: each question's, named as a reader writes them."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.contract.graphs import Way
from models_tf.graphs.compiled import Traced
from models_tf.graphs.kernels import Eager, TracedKernels, Xla

NAME = "TensorFlow"
FUNCTION = Way("tf.function(f)", Traced)
XLA = Way("tf.function(f, jit_compile=True)", partial(Traced, jit_compile=True))
FLOW = (Way("tf.function(f, autograph=False)", partial(Traced, autograph=False)), FUNCTION, XLA)
WAYS: Mapping[str, Sequence[Way]] = {
    "fusion": (
        Way("TensorFlow, eager", Eager),
        Way("tf.function(f)", TracedKernels),
        Way("tf.function(f, jit_compile=True)", Xla),
    ),
    "data_dependent_if": FLOW,
    "data_dependent_loop": FLOW,
    "breaks": (FUNCTION, XLA),
    "shapes": (
        FUNCTION,
        Way("tf.function(f, reduce_retracing=True)", partial(Traced, reduce_retracing=True)),
        Way("tf.function(f, input_signature=…None…)", partial(Traced, any_length=True)),
        XLA,
        Way("tf.function(f, …None…, jit_compile=True)", partial(Traced, any_length=True, jit_compile=True)),
    ),
}
# AutoGraph puts a traceback of the reader's code before the error itself.
IN_USER_CODE = re.compile(r"^\s+\w+: (.+)$", re.MULTILINE)
# The name that a function has in one process.
INFERENCE = re.compile(r"__inference_(\w+?)_\d+\[[^\]]*\]")


def to_tensor(array: npt.NDArray[np.float32]) -> tf.Tensor:
    """Return an array as a tensor."""
    return tf.constant(array)


def to_array(tensor: tf.Tensor) -> npt.NDArray[np.float32]:
    """Return a tensor as an array."""
    return tensor.numpy()


def reason(error: Exception) -> str:
    """Return the first line of the message that isn't a traceback."""
    text = str(error).strip() or "no message"
    told = IN_USER_CODE.search(text) if text.startswith("in user code:") else None
    return INFERENCE.sub(r"\1", told[1] if told else text.splitlines()[0])
