"""A branch that depends on the values in a tensor."""

import tensorflow as tf


def python_if(x: tf.Tensor) -> tf.Tensor:
    """As one writes it in Python."""
    if tf.reduce_sum(x) > 0:
        return x * 2
    return x - 1


def offered_if(x: tf.Tensor) -> tf.Tensor:
    """With the operation that TensorFlow offers: both branches are in the graph."""
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: x - 1)
