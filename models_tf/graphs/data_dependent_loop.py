"""A loop whose number of passes depends on the values in a tensor."""

import tensorflow as tf


def python_loop(x: tf.Tensor) -> tf.Tensor:
    """Halve until the norm is at most 1, as one writes it in Python."""
    while tf.norm(x) > 1:
        x = x / 2
    return x


def offered_loop(x: tf.Tensor) -> tf.Tensor:
    """With the operation that TensorFlow offers: the loop is in the graph."""
    (x,) = tf.while_loop(lambda x: tf.norm(x) > 1, lambda x: (x / 2,), (x,))
    return x
