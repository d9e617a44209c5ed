"""The loop handed over too: Keras's `fit` calls the model, and does the rest of a step itself, as a graph."""

import keras
import tensorflow as tf
from keras.callbacks import LambdaCallback

from experiments.contract.ladder import AfterStep, Net, Trained


class TwoLayers(keras.Model):
    """The net."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.w1, self.w2 = keras.Variable(net.w1), keras.Variable(net.w2)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return the outputs, (n, outputs), for x, (n, inputs)."""
        return keras.ops.relu(x @ self.w1) @ self.w2


def squared_error(y: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return the loss of a batch."""
    return keras.ops.sum(keras.ops.square(outputs - y))


def train(net: Net, after_step: AfterStep) -> Trained:
    """Train the net by gradient descent on all examples at once: an epoch is one batch."""
    # Of all that Keras makes from here on: layers, and optimisers too. By default, float32.
    keras.config.set_dtype_policy(net.x.dtype.name)
    keras.config.set_floatx(net.x.dtype.name)
    loader = tf.data.Dataset.from_tensor_slices((net.x, net.y)).batch(len(net.x))
    model = TwoLayers(net)
    report = LambdaCallback(on_train_batch_end=lambda batch, logs: after_step(logs["loss"]))
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=net.lr), loss=squared_error)
    model.fit(loader, epochs=net.steps, callbacks=[report], shuffle=False, verbose=0)
    return model.get_weights()
