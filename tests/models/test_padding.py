"""Keras's layers with PyTorch's padding: outputs and gradients of PyTorch's own layers, and they can be saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.contract.model_settings import Precision
from experiments.contract.weights import FloatArray
from experiments.system.isolated import IsolatedProcess

# Sizes at which Keras's `same` pads otherwise than PyTorch: even with a stride of 2.
IMAGES = np.random.default_rng(1).normal(size=(2, 10, 12, 4))
CONVOLUTIONS: list[dict[str, Any]] = [
    {"kernel": 3, "stride": 1, "padding": 1, "dilation": 1},
    {"kernel": 3, "stride": 2, "padding": 1, "dilation": 1},
    {"kernel": 7, "stride": 2, "padding": 3, "dilation": 1},
    {"kernel": 3, "stride": 1, "padding": 2, "dilation": 2},
    {"kernel": 5, "stride": 1, "padding": (1, 3), "dilation": 1},
    {"kernel": 3, "stride": 2, "padding": (2, 0), "dilation": 1},
]
POOLINGS: list[dict[str, Any]] = [
    {"kernel": 3, "stride": 2, "padding": 1},
    {"kernel": 2, "stride": 2, "padding": (1, 0)},
]
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")


def in_torch() -> list[FloatArray]:
    import torch
    from torch import nn

    results = []
    for precision in PRECISIONS:
        kind = getattr(torch, precision)
        for form in (*CONVOLUTIONS, *POOLINGS):
            # Below zero, so that padding with zeros would win a maximum.
            inputs = torch.tensor(IMAGES.transpose(0, 3, 1, 2) - 5, dtype=kind, requires_grad=True)
            options = {("kernel_size" if key == "kernel" else key): value for key, value in form.items()}
            layer = nn.Conv2d(4, 6, bias=False, **options) if "dilation" in form else nn.MaxPool2d(**options)
            for weight in layer.parameters():
                weight.data = torch.tensor(kernel(form["kernel"]).transpose(3, 2, 0, 1))
            output = layer.to(kind)(inputs)
            (output**2).sum().backward()
            arrays: Any = (output, inputs.grad)
            results += [array.detach().numpy().transpose(0, 2, 3, 1) for array in arrays]
    return results


def kernel(size: int) -> FloatArray:
    return np.random.default_rng(size).normal(size=(size, size, 4, 6))


def in_keras(folder: Path) -> list[FloatArray]:
    import tensorflow as tf

    from models_tf.backend.model import use_precision
    from models_tf.backend.padding import Conv2D, MaxPooling2D

    with pytest.raises(ValueError, match=r"^padding: expected at most half of the window \(3, 3\); got 2$"):
        MaxPooling2D(3, 2, padding=2)
    assert Conv2D(1, 3, padding="same").get_config()["padding"] == "same"
    results = []
    for precision in PRECISIONS:
        use_precision(precision)
        for form in (*CONVOLUTIONS, *POOLINGS):
            network = saved_and_loaded(form, folder / "layer.keras")
            inputs = tf.constant(IMAGES - 5, precision)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                output = tf.function(network)(inputs)
                loss = tf.reduce_sum(output**2)
            np.testing.assert_array_equal(network(inputs), output)
            assert network.output_shape == (None, *output.shape[1:])
            results += [output.numpy(), tape.gradient(loss, inputs).numpy()]
    return results


def saved_and_loaded(form: dict[str, Any], file: Path) -> Any:
    import keras

    from models_tf.backend.padding import Conv2D, MaxPooling2D

    if "dilation" in form:
        options = {"strides": form["stride"], "dilation_rate": form["dilation"], "padding": form["padding"]}
        layer: Any = Conv2D(6, form["kernel"], use_bias=False, **options)
    else:
        layer = MaxPooling2D(form["kernel"], form["stride"], padding=form["padding"])
    images = keras.Input(IMAGES.shape[1:])
    network = keras.Model(images, layer(images))
    network.set_weights([kernel(form["kernel"])] if "dilation" in form else [])
    network.save(file)
    return keras.models.load_model(file)


def test_padded_layers_give_what_those_of_pytorch_give(tmp_path: Path) -> None:
    with IsolatedProcess("lightning") as process:
        expected = process.call(in_torch)
    with IsolatedProcess("keras") as process:
        actual = process.call(in_keras, tmp_path)
    assert len(expected) == len(actual) == 2 * 2 * (len(CONVOLUTIONS) + len(POOLINGS))
    for one, other in zip(actual, expected, strict=True):
        assert one.dtype == other.dtype
        precision = 1e-12 if one.dtype == np.float64 else 2e-5
        np.testing.assert_allclose(one, other, rtol=precision, atol=precision * np.abs(other).max())
