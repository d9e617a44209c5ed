"""Functions whose compiled answers are wrong."""

import tensorflow as tf


def triples(x: tf.Tensor) -> tf.Tensor:
    return x * (3 if tf.inside_function() else 2)


def cuts(x: tf.Tensor) -> tf.Tensor:
    return x[1:] if tf.inside_function() else x


def whispers(x: tf.Tensor) -> tf.Tensor:
    if not tf.inside_function():
        print("loud")
    return x * 1


def honest(x: tf.Tensor) -> tf.Tensor:
    return x * 2
