"""Python around the tensors: what becomes of it in a graph?"""

import random

import numpy as np
import tensorflow as tf

CALLS: list[str] = []
FACTOR = 2.0


def prints(x: tf.Tensor) -> tf.Tensor:
    """Print a value on the way."""
    total = tf.reduce_sum(x)
    print(total)
    return x / total


def reads_a_number(x: tf.Tensor) -> tf.Tensor:
    """Take a number out of a tensor."""
    total = tf.reduce_sum(x).numpy()
    return x / total


def calls_numpy(x: tf.Tensor) -> tf.Tensor:
    """Leave the framework for a function of NumPy's."""
    y = np.sin(x.numpy())
    return tf.constant(y) * 2


def numpy_as_operation(x: tf.Tensor) -> tf.Tensor:
    """Call the same function in the form that TensorFlow offers."""
    return tf.numpy_function(np.sin, [x], tf.float32) * 2


def appends_to_a_list(x: tf.Tensor) -> tf.Tensor:
    """Have a side effect in Python."""
    CALLS.append("called")
    return x * 2


def draws_a_number(x: tf.Tensor) -> tf.Tensor:
    """Draw a random number with Python."""
    return x * random.random()


def uses_a_global(x: tf.Tensor) -> tf.Tensor:
    """Multiply by a number of the module; somebody changes it between two calls."""
    return x * FACTOR


def times(x: tf.Tensor, n: tf.Tensor | float) -> tf.Tensor:
    """Multiply by an argument."""
    return x * n
