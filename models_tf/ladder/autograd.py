"""GradientTape: the forward pass alone is written, the tape follows it back to every variable that it has seen."""

import tensorflow as tf

from experiments.contract.ladder import AfterStep, Net, Trained


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y = tf.constant(net.x), tf.constant(net.y)
    w1, w2 = tf.Variable(net.w1), tf.Variable(net.w2)
    for _ in range(net.steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(tf.nn.relu(x @ w1) @ w2 - y))
        gradients = tape.gradient(loss, [w1, w2])
        for weight, gradient in zip((w1, w2), gradients, strict=True):
            weight.assign_sub(net.lr * gradient)
        after_step(float(loss))
    return w1.numpy(), w2.numpy()
