"""A function with a backward pass of its own: `tf.custom_gradient`, called by the tape as if it were built in."""

from collections.abc import Callable

import tensorflow as tf

from experiments.contract.ladder import AfterStep, Net, Trained


@tf.custom_gradient
def relu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return max(0, x), and the function that takes a gradient back through it."""

    def backward(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * tf.cast(x > 0, x.dtype)

    return tf.maximum(x, 0), backward


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y = tf.constant(net.x), tf.constant(net.y)
    w1, w2 = tf.Variable(net.w1), tf.Variable(net.w2)
    for _ in range(net.steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(relu(x @ w1) @ w2 - y))
        d_w1, d_w2 = tape.gradient(loss, [w1, w2])
        w1.assign_sub(net.lr * d_w1)
        w2.assign_sub(net.lr * d_w2)
        after_step(float(loss))
    return w1.numpy(), w2.numpy()
