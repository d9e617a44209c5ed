"""The arrays of Keras's layers in PyTorch's names and shapes, and back; linear, so that gradients follow them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Value = npt.NDArray[Any]
Values = Mapping[str, Value]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Axes:
    """How one array becomes PyTorch's, and Keras's again, given the shape that it has there."""

    to_torch: Callable[[Value], Value]
    from_torch: Callable[[Value, Shape], Value]


@dataclass(frozen=True)
class Conversion:
    """How the arrays of a kind of layer become PyTorch's; `names` are Keras's.

    Either function takes some of the arrays, as a layer without a bias or a frozen one has them.
    """

    names: tuple[str, ...]
    to_torch: Callable[[Values], dict[str, Value]]
    from_torch: Callable[[Values, Mapping[str, Shape]], dict[str, Value]]


# (in, out) ↔ (out, in)
transposed = Axes(lambda value: value.T, lambda value, shape: value.T)
# (height, width, in, out) ↔ (out, in, height, width); of a transposed convolution, `in` and `out` change places.
convolution = Axes(lambda value: value.transpose(3, 2, 0, 1), lambda value, shape: value.transpose(2, 3, 1, 0))
# (1, 1, channels) or (features,) ↔ (channels,)
per_channel = Axes(lambda value: value.reshape(-1), lambda value, shape: value.reshape(shape))
# (height, width, in, multiplier) ↔ (in · multiplier, 1, height, width)
depthwise = Axes(
    lambda value: value.reshape(*value.shape[:2], 1, -1).transpose(3, 2, 0, 1),
    lambda value, shape: value.transpose(2, 3, 1, 0).reshape(shape),
)
# (height, width, channels) ↔ (channels, height, width), where a normalisation is of whole images; else as it is.
of_images = Axes(
    lambda value: value.transpose(2, 0, 1) if value.ndim == 3 else value,
    lambda value, shape: value.transpose(1, 2, 0) if value.ndim == 3 else value,
)
_AS_IT_IS = Axes(lambda value: value, lambda value, shape: value)


def renamed(axes: Mapping[str, Axes] | None = None, **names: str) -> Conversion:
    """Return the conversion of a layer whose arrays are PyTorch's one by one: `names` are PyTorch's by Keras's."""
    axes_of = {name: (axes or {}).get(name, _AS_IT_IS) for name in names}
    return Conversion(
        tuple(names),
        lambda values: {names[name]: axes_of[name].to_torch(value) for name, value in values.items()},
        lambda values, shapes: {
            name: axes_of[name].from_torch(values[names[name]], shape) for name, shape in shapes.items()
        },
    )


def _gates(value: Value) -> Value:
    """Exchange the first two of three gates on the first axis: Keras has z, r, n, PyTorch has r, z, n."""
    first, second, third = np.split(value, 3)
    return np.concatenate([second, first, third])


def _gru_to_torch(values: Values) -> dict[str, Value]:
    torch = {}
    if "kernel" in values:
        torch["weight_ih_l0"] = _gates(values["kernel"].T)
    if "recurrent_kernel" in values:
        torch["weight_hh_l0"] = _gates(values["recurrent_kernel"].T)
    if "bias" in values:
        torch["bias_ih_l0"], torch["bias_hh_l0"] = map(_gates, values["bias"])
    return torch


def _gru_from_torch(values: Values, shapes: Mapping[str, Shape]) -> dict[str, Value]:
    keras = {"kernel": _gates(values["weight_ih_l0"]).T, "recurrent_kernel": _gates(values["weight_hh_l0"]).T}
    if "bias" in shapes:
        keras["bias"] = np.stack([_gates(values["bias_ih_l0"]), _gates(values["bias_hh_l0"])])
    return keras


gru = Conversion(("kernel", "recurrent_kernel", "bias"), _gru_to_torch, _gru_from_torch)

_PROJECTIONS = ("query", "key", "value")


def _attention_to_torch(values: Values) -> dict[str, Value]:
    """Join the three projections, (features, heads, size) each; the output's is (heads, size, features)."""
    torch = {}
    if "query/kernel" in values:
        parts = [values[f"{name}/kernel"] for name in _PROJECTIONS]
        torch["in_proj_weight"] = np.concatenate([part.reshape(part.shape[0], -1).T for part in parts])
        torch["out_proj/weight"] = values["output/kernel"].reshape(-1, values["output/kernel"].shape[-1]).T
    if "query/bias" in values:
        torch["in_proj_bias"] = np.concatenate([values[f"{name}/bias"].reshape(-1) for name in _PROJECTIONS])
        torch["out_proj/bias"] = values["output/bias"]
    return torch


def _attention_from_torch(values: Values, shapes: Mapping[str, Shape]) -> dict[str, Value]:
    weights = [part.T for part in np.split(values["in_proj_weight"], 3)]
    keras = {f"{name}/kernel": part for name, part in zip(_PROJECTIONS, weights, strict=True)}
    keras["output/kernel"] = values["out_proj/weight"].T
    if "output/bias" in shapes:
        biases = np.split(values["in_proj_bias"], 3)
        keras |= {f"{name}/bias": part for name, part in zip(_PROJECTIONS, biases, strict=True)}
        keras["output/bias"] = values["out_proj/bias"]
    return {name: value.reshape(shapes[name]) for name, value in keras.items()}


attention = Conversion(
    tuple(f"{name}/{array}" for name in (*_PROJECTIONS, "output") for array in ("kernel", "bias")),
    _attention_to_torch,
    _attention_from_torch,
)
