"""`tf.function`: the first call traces a whole step, its backward pass included, to a graph; the others run that."""

import tensorflow as tf

from experiments.contract.ladder import AfterStep, Net, Trained


def loss_of(w1: tf.Variable, w2: tf.Variable, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the sum of the squared errors."""
    return tf.reduce_sum(tf.square(tf.nn.relu(x @ w1) @ w2 - y))


@tf.function
def step(w1: tf.Variable, w2: tf.Variable, x: tf.Tensor, y: tf.Tensor, lr: float) -> tf.Tensor:
    """Change the weights, and return the loss before it."""
    with tf.GradientTape() as tape:
        loss = loss_of(w1, w2, x, y)
    d_w1, d_w2 = tape.gradient(loss, [w1, w2])
    w1.assign_sub(lr * d_w1)
    w2.assign_sub(lr * d_w2)
    return loss


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    x, y = tf.constant(net.x), tf.constant(net.y)
    w1, w2 = tf.Variable(net.w1), tf.Variable(net.w2)
    for _ in range(net.steps):
        after_step(float(step(w1, w2, x, y, net.lr)))
    return w1.numpy(), w2.numpy()
