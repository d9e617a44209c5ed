"""Layers and an optimiser: `keras.Sequential` holds the weights, `keras.optimizers.SGD` changes them."""

import keras
import tensorflow as tf
from keras import layers

from experiments.contract.ladder import AfterStep, Net, Trained


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once."""
    # Of all that Keras makes from here on: layers, and optimisers too. By default, float32.
    keras.config.set_dtype_policy(net.x.dtype.name)
    keras.config.set_floatx(net.x.dtype.name)
    x, y = tf.constant(net.x), tf.constant(net.y)
    hidden, outputs = net.w2.shape
    model = keras.Sequential(
        [
            layers.Dense(hidden, use_bias=False),
            layers.ReLU(),
            layers.Dense(outputs, use_bias=False),
        ]
    )
    model.build(net.x.shape)
    model.set_weights([net.w1, net.w2])
    optimizer = keras.optimizers.SGD(learning_rate=net.lr)
    for _ in range(net.steps):
        with tf.GradientTape() as tape:
            # Keras's MeanSquaredError(reduction="sum") would divide by the number of outputs.
            loss = tf.reduce_sum(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        after_step(float(loss))
    return model.get_weights()
