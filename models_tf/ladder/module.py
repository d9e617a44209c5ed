"""A model of one's own, and a loader: `keras.Model` finds its variables, `tf.data` hands out the batches."""

import keras
import tensorflow as tf

from experiments.contract.ladder import AfterStep, Net, Trained


class TwoLayers(keras.Model):
    """The net; its variables are whatever attribute is a `keras.Variable`."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.w1 = keras.Variable(net.w1)
        self.w2 = keras.Variable(net.w2)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return the outputs, (n, outputs), for x, (n, inputs)."""
        return keras.ops.relu(x @ self.w1) @ self.w2


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once: an epoch is one batch."""
    # Of all that Keras makes from here on: layers, and optimisers too. By default, float32.
    keras.config.set_dtype_policy(net.x.dtype.name)
    keras.config.set_floatx(net.x.dtype.name)
    loader = tf.data.Dataset.from_tensor_slices((net.x, net.y)).batch(len(net.x))
    model = TwoLayers(net)
    optimizer = keras.optimizers.SGD(learning_rate=net.lr)
    for _ in range(net.steps):
        for x, y in loader:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.square(model(x) - y))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            after_step(float(loss))
    return model.get_weights()
