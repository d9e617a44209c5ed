"""The settings of PyTorch's layers that move windows over an image."""

from typing import Any

from torch import nn

from experiments.contract.layers import NONE, Padding, Pair


def window_of(layer: nn.Module) -> dict[str, Any]:
    """Return the settings of a layer that moves windows."""
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return {"kernel": pair(layer.output_size)}
    if isinstance(layer, nn.ZeroPad2d):
        left, right, top, bottom = layer.padding
        return {"padding": ((top, bottom), (left, right))}
    if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.MaxPool2d | nn.AvgPool2d):
        return {}
    form: dict[str, Any] = {
        "kernel": pair(layer.kernel_size),
        "stride": pair(layer.stride),
        "padding": _padding(layer.padding),
        "rounds_up": getattr(layer, "ceil_mode", False),
        "dilation": pair(getattr(layer, "dilation", 1)),
    }
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        form["features"] = layer.out_channels
        form["extra"] = pair(layer.output_padding)
    return form


def pair(value: Any) -> Pair:
    """Return a setting for rows and columns, which may be one number for both."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _padding(value: Any) -> Padding:
    if isinstance(value, str):
        return "same" if value == "same" else NONE
    rows, columns = pair(value)
    return (rows, rows), (columns, columns)
