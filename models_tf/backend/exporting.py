"""Writes a model of Keras for others, with its scaling: raw pixels (n, height, width, channels) in, logits out."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import onnx
import tensorflow as tf

from models_tf.backend.model import KerasModel
from models_tf.backend.stock import made_of_stock, unrolled


def _signature(model: KerasModel) -> list[tf.TensorSpec]:
    settings = model.settings
    return [tf.TensorSpec((None, *settings.image_shape), settings.pixel_type, name="images")]


def write_saved_model(model: KerasModel, folder: Path) -> None:
    """Write a SavedModel for `tf.saved_model.load`, whose signature `serving_default` takes `images`."""
    model.native().export(folder, format="tf_saved_model", verbose=False, input_signature=_signature(model))


def write_keras(model: KerasModel, file: Path) -> None:
    """Write a model of Keras's own layers alone, for `keras.models.load_model`.

    Raises:
        TandemError: there is a layer that these can't stand in for.
    """
    made_of_stock(model.native()).save(file)


def write_tflite(model: KerasModel, file: Path) -> None:
    """Write a model of TensorFlow Lite in float32, whose signature `serving_default` takes `images`."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        network = unrolled(model.native())
        network.export(folder, format="tf_saved_model", verbose=False, input_signature=_signature(model))
        file.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def write_onnx(model: KerasModel, file: Path) -> None:
    """Write a graph of ONNX, `images` → `logits`, weights included."""
    model.native().export(file, format="onnx", verbose=False, input_signature=_signature(model))
    made = onnx.load(file)
    (output,) = made.graph.output
    for node in made.graph.node:  # tf2onnx calls it Identity:0
        for names in (node.input, node.output):
            names[:] = ["logits" if name == output.name else name for name in names]
    output.name = "logits"
    onnx.checker.check_model(made)
    onnx.save(made, file)


WRITERS: dict[str, Callable[[KerasModel, Path], None]] = {
    "onnx": write_onnx,
    "saved-model": write_saved_model,
    "keras": write_keras,
    "tflite": write_tflite,
}
