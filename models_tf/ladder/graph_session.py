"""TensorFlow 1: first a graph of everything, an update included; then a session that runs it, fed with arrays."""

import tensorflow as tf

from experiments.contract.ladder import AfterStep, Net, Trained

v1 = tf.compat.v1


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    with tf.Graph().as_default():
        # Nothing is computed here: these are nodes.
        x, y = v1.placeholder(net.x.dtype, net.x.shape), v1.placeholder(net.y.dtype, net.y.shape)
        w1, w2 = v1.Variable(net.w1), v1.Variable(net.w2)
        loss = tf.reduce_sum(tf.square(tf.nn.relu(x @ w1) @ w2 - y))
        d_w1, d_w2 = tf.gradients(loss, [w1, w2])
        with tf.control_dependencies([d_w1, d_w2]):  # the order in a graph is what is written into it
            step = [w1.assign_sub(net.lr * d_w1), w2.assign_sub(net.lr * d_w2)]

        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(net.steps):
                value, _ = session.run([loss, step], feed_dict={x: net.x, y: net.y})
                after_step(value.item())
            return session.run([w1, w2])
