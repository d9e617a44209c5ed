"""The defaults of Keras, read from its signatures and measured.

`models_torch.backend.defaults` answers the same questions, in the same order.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from experiments.contract.signatures import default_of, defaults_of
from models_tf.backend.layer_defaults import layer_defaults


def initialisation(layer: layers.Layer, shape: tuple[int | None, ...], fan_in: int, fan_out: int) -> tuple[str, str]:
    """Return how weight and bias are drawn: the largest of many draws tells the bound of a uniform distribution."""
    layer.build(shape)
    share = np.abs(layer.kernel.numpy()).max() / math.sqrt(6 / (fan_in + fan_out))
    bias = np.abs(layer.bias.numpy()).max()
    name = type(layer.kernel_initializer).__name__
    weight = f"{name}: uniform within ±{share:.2f}·√(6 / (fan_in + fan_out))"
    return weight, "zeros" if bias == 0 else f"up to {bias:.2f}"


def _step(optimizer: keras.optimizers.Optimizer, variable: keras.Variable, gradient: float) -> float:
    optimizer.apply([tf.constant([gradient])], [variable])
    return float(variable.numpy()[0])


def sgd() -> tuple[str, str]:
    """Return SGD's settings, and where its learning rate is applied: two steps with gradient 1, lr 0.1, then 0.01."""
    weight = keras.Variable(np.zeros(1, np.float32))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    _step(optimizer, weight, 1.0)
    optimizer.learning_rate = 0.01
    outside = math.isclose(_step(optimizer, weight, 1.0), -0.1 - 0.01 * 1.9, rel_tol=1e-5)
    formula = "v ← μv + g, w ← w - lr·v" if outside else "v ← μv - lr·g, w ← w + v"
    return defaults_of(keras.optimizers.SGD, "learning_rate", "momentum", "nesterov"), formula


def adam() -> tuple[str, str]:
    """Return Adam's settings, and where its epsilon is added: one step with gradient and epsilon 1e-4."""
    weight = keras.Variable(np.zeros(1, np.float32))
    after = math.isclose(_step(keras.optimizers.Adam(1.0, epsilon=1e-4), weight, 1e-4), -0.5, rel_tol=1e-3)
    settings = defaults_of(keras.optimizers.Adam, "learning_rate", "beta_1", "beta_2", "epsilon")
    return settings, "√v̂ + ε" if after else "√v + ε, before v is corrected"


def weight_decay() -> tuple[str, str]:
    """Return the default, and what a weight decay of 0.1 does to a weight of 1 in a step of Adam without gradient."""
    weight = keras.Variable(np.ones(1, np.float32))
    coupled = _step(keras.optimizers.Adam(0.01, weight_decay=0.1), weight, 0.0) < 0.995
    how = "added to the gradient" if coupled else "apart from the gradient, w ← w - lr·λ·w"
    return str(default_of(keras.optimizers.Adam, "weight_decay") or "none"), how


def batch_norm() -> tuple[str, str, str]:
    """Return epsilon, momentum and its meaning, and which variance is kept: from the batch 0, 2 of mean 1."""
    layer = layers.BatchNormalization()
    layer(np.array([[0.0], [2.0]], np.float32), training=True)
    share = float(layer.moving_mean.numpy()[0])
    variance = (float(layer.moving_variance.numpy()[0]) - (1 - share)) / share
    kind = "divided by n" if abs(variance - 1) < 0.01 else "divided by n - 1"
    return str(layer.epsilon), f"{layer.momentum}: {share:.2f} of the new batch", kind


def average_pooling() -> str:
    """Return whether padding counts in an average: at the corner of an image of ones."""
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(np.ones((1, 3, 3, 1), np.float32))
    return "zeros count" if float(pooled[0, 0, 0, 0]) < 1 else "zeros don't count"


def same_convolution() -> str:
    """Return the sizes that a convolution with `same` padding makes of 7, with stride 1 and 2."""
    image = np.ones((1, 7, 7, 1), np.float32)
    sizes = [layers.Conv2D(1, 3, padding="same", strides=stride)(image).shape[1] for stride in (1, 2)]
    return f"7 → {sizes[0]}; stride 2: 7 → {sizes[1]}"


def pooling() -> tuple[str, str]:
    """Return the size that pooling of 2 makes of 7, and how to keep the last, incomplete window."""
    image = np.ones((1, 7, 7, 1), np.float32)
    sizes = [layers.MaxPooling2D(2, **options)(image).shape[1] for options in ({}, {"padding": "same"})]
    return f"7 → {sizes[0]}", f"padding same: 7 → {sizes[1]}"


def dropout() -> str:
    """Return the default rate, and what becomes of an input of 1 that is kept with a rate of 0.5."""
    kept = float(np.max(layers.Dropout(0.5)(np.ones(1000, np.float32), training=True)))
    return f"default rate: {default_of(layers.Dropout, 'rate')}; kept inputs × {kept:g} at rate 0.5"


def last_batch() -> str:
    """Return what `fit` does with 5 images in batches of 2."""
    seen: list[int] = []
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(np.ones((5, 1)), np.ones((5, 1)), batch_size=2, verbose=0, callbacks=[count])
    return "kept" if len(seen) == 3 else "left out"


def defaults() -> dict[str, str]:
    """Return every default by its name."""
    keras.utils.set_random_seed(0)
    dense = initialisation(layers.Dense(400), (None, 400), 400, 400)
    convolution = initialisation(layers.Conv2D(400, 5), (None, 9, 9, 100), 2500, 10_000)
    (sgd_settings, sgd_formula), (adam_settings, adam_epsilon) = sgd(), adam()
    pooled, rounded = pooling()
    (decay, decayed), (epsilon, momentum, variance) = weight_decay(), batch_norm()
    cross_entropy = keras.losses.SparseCategoricalCrossentropy
    return {
        "axes of images": "n, h, w, c" if keras.config.image_data_format() == "channels_last" else "n, c, h, w",
        "dense weight": dense[0],
        "dense bias": dense[1],
        "convolution weight": convolution[0],
        "convolution bias": convolution[1],
        "SGD settings": sgd_settings,
        "SGD formula": sgd_formula,
        "Adam settings": adam_settings,
        "Adam epsilon": adam_epsilon,
        "weight decay": decay,
        "weight decay, if any": decayed,
        "cross-entropy reduction": str(default_of(cross_entropy, "reduction")),
        "cross-entropy takes": "logits" if default_of(cross_entropy, "from_logits") else "probabilities",
        "last short batch": last_batch(),
        "shuffling": "on" if default_of(keras.Model.fit, "shuffle") else "off",
        "convolution, same padding": same_convolution(),
        "max pooling by 2": pooled,
        "max pooling that rounds up": rounded,
        "average pooling, padded": average_pooling(),
        "dropout": dropout(),
        "batch norm epsilon": epsilon,
        "batch norm momentum": momentum,
        "batch norm variance kept": variance,
        **layer_defaults(),
        "TensorFloat-32 convolutions on a GPU": (
            "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off"
        ),
    }
