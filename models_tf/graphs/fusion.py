"""Operations that a compiler can fuse: one pass over memory instead of one for each."""

import tensorflow as tf


def chain(x: tf.Tensor) -> tf.Tensor:
    """Five operations on each number, all of them quick to compute."""
    return tf.nn.relu((x * 2 + 1) * x - 3)


def waves(x: tf.Tensor) -> tf.Tensor:
    """Five operations on each number, three of them slow to compute."""
    return tf.tanh(tf.exp(tf.sin(x) * 2 + 1))


def dense(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """A dense layer: matrix product, bias, ReLU."""
    return tf.nn.relu(x @ weight + bias)
