"""The settings of Keras's layers that move windows over an image."""

from typing import Any

from keras import layers as kl

from experiments.contract.layers import NONE, Padding
from models_tf.backend.padding import Conv2D, MaxPooling2D

ADAPTIVE = (kl.AdaptiveAveragePooling2D, kl.AdaptiveMaxPooling2D)


def window_of(layer: kl.Layer) -> dict[str, Any]:
    """Return the settings of a layer that moves windows."""
    if isinstance(layer, ADAPTIVE):
        return {"kernel": tuple(layer.output_size)}
    if isinstance(layer, kl.ZeroPadding2D):
        return {"padding": tuple(layer.padding)}
    form: dict[str, Any] = {"padding": _padding(layer)}
    if isinstance(layer, kl.MaxPooling2D | kl.AveragePooling2D):
        return form | {"kernel": tuple(layer.pool_size), "stride": tuple(layer.strides)}
    if isinstance(layer, kl.Conv2D | kl.DepthwiseConv2D | kl.Conv2DTranspose):
        form |= {"kernel": layer.kernel_size, "stride": layer.strides, "dilation": layer.dilation_rate}
        form = {name: value if isinstance(value, str) else tuple(value) for name, value in form.items()}
        depthwise = isinstance(layer, kl.DepthwiseConv2D)
        return form | {"features": layer.kernel.shape[2] * layer.depth_multiplier if depthwise else layer.filters}
    return {}


def _padding(layer: kl.Layer) -> Padding:
    if isinstance(layer, Conv2D | MaxPooling2D) and layer.pads is not None:
        rows, columns = layer.pads
        return (rows, rows), (columns, columns)
    return "same" if getattr(layer, "padding", "valid") == "same" else NONE
