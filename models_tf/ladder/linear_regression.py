"""Linear regression: gradients taken by name from a `tf.GradientTape`, and applied by hand."""

import tensorflow as tf

from experiments.contract.ladder import AfterStep, Line, Trained


def train(line: Line, after_step: AfterStep) -> Trained:
    """Fit the line by plain gradient descent on the mean squared error."""
    x, y = tf.constant(line.x), tf.constant(line.y)
    w, b = tf.Variable(line.w), tf.Variable(line.b)
    for _ in range(line.steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(w * x + b - y))
        d_w, d_b = tape.gradient(loss, [w, b])
        w.assign_sub(line.lr * d_w)
        b.assign_sub(line.lr * d_b)
        after_step(float(loss))
    return w.numpy(), b.numpy()
