"""Tensors, the backward pass written by hand: TensorFlow in the place of NumPy."""

import tensorflow as tf

from experiments.contract.ladder import AfterStep, Net, Trained


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y, w1, w2 = (tf.constant(array) for array in (net.x, net.y, net.w1, net.w2))
    for _ in range(net.steps):
        hidden = x @ w1
        active = tf.maximum(hidden, 0)
        error = active @ w2 - y
        loss = tf.reduce_sum(tf.square(error))

        # The chain rule, from the loss back to each weight.
        d_output = 2 * error
        d_w2 = tf.transpose(active) @ d_output
        d_hidden = (d_output @ tf.transpose(w2)) * tf.cast(hidden > 0, x.dtype)
        d_w1 = tf.transpose(x) @ d_hidden

        w1 -= net.lr * d_w1
        w2 -= net.lr * d_w2
        after_step(float(loss))
    return w1.numpy(), w2.numpy()
