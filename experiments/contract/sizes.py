"""The expected size of a layer's output, by the formulas of the frameworks' documentation."""

import math
from collections.abc import Sequence

from experiments.contract.layers import RECURRENT, UNKNOWN, WINDOWED, Layer, Pair, shown


def output_size(size: int, *, kernel: int, stride: int = 1, padding: int = 0, rounds_up: bool = False) -> int:
    """Return the output size of a convolution or pooling along one axis: floor((in + padding - kernel) / stride) + 1.

    From the documentation of torch.nn.Conv2d and MaxPool2d. `padding` is that of both ends together; a dilated kernel
    is as large as its reach. `rounds_up` (`ceil_mode` there) takes the ceiling, unless the last window would start
    beyond the input and the padding before it, half of all. Keras's `valid` is padding 0.
    """
    reach = size + padding - kernel
    if not rounds_up:
        return reach // stride + 1
    windows = -(-reach // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding // 2 else windows


def same_size(size: int, *, stride: int = 1) -> int:
    """Return the output size with `same` padding along one axis: ceil(in / stride), from Keras's documentation."""
    return -(-size // stride)


def same_padding(size: int, *, kernel: int, stride: int = 1) -> Pair:
    """Return what TensorFlow pads before and after an axis for `same`: the odd one comes after.

    From TensorFlow's documentation, "Notes on padding" of tf.nn; PyTorch's `same` has no stride, and is the same.
    """
    total = max((same_size(size, stride=stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def expected_output(layer: Layer) -> tuple[int, ...] | None:
    """Return the output shape that the formulas above give for a layer's input; None for what has none."""
    if layer.kind in UNKNOWN:
        return None
    if layer.kind == "flatten":
        return (math.prod(layer.input),)
    if layer.kind == "dense":
        return (*layer.input[:-1], layer.features)
    if layer.kind == "embedding":
        return (*layer.input, layer.features)
    if layer.kind in RECURRENT:
        return (*layer.input[: len(layer.output) - 1], layer.features)
    if layer.kind in ("global average pooling", "global max pooling"):
        return (layer.input[0], *(1 for _ in layer.output[1:]))
    if layer.kind in ("adaptive average pooling", "adaptive max pooling"):
        return (layer.input[0], *layer.kernel)
    if layer.kind not in WINDOWED:
        return layer.input
    return (layer.features or layer.input[0], *(_windows(layer, axis) for axis in (0, 1)))


def reach(layer: Layer, axis: int) -> int:
    """Return how many rows (axis 0) or columns a kernel spans, the gaps of its dilation included."""
    return layer.dilation[axis] * (layer.kernel[axis] - 1) + 1


def padding_of(layer: Layer, axis: int) -> Pair:
    """Return how many rows (axis 0) or columns are padded before and after, or cropped by a transposed convolution."""
    if layer.padding != "same":
        before, after = layer.padding[axis]
        return before, after - layer.extra[axis]
    size = layer.output if layer.kind == "transposed convolution" else layer.input
    return same_padding(size[axis + 1], kernel=reach(layer, axis), stride=layer.stride[axis])


def _windows(layer: Layer, axis: int) -> int:
    size, stride = layer.input[axis + 1], layer.stride[axis]
    if layer.kind == "transposed convolution":
        if layer.padding == "same":
            return size * stride
        # From the documentation of torch.nn.ConvTranspose2d.
        return (size - 1) * stride - sum(layer.padding[axis]) + reach(layer, axis) + layer.extra[axis]
    if layer.padding == "same":
        return same_size(size, stride=stride)
    padding = sum(layer.padding[axis])
    return output_size(size, kernel=reach(layer, axis), stride=stride, padding=padding, rounds_up=layer.rounds_up)


def wrong_output(where: str, layers: Sequence[Layer]) -> str | None:
    """Return the first layer whose measured output has another shape than the formula gives, as a message."""
    for layer in layers:
        expected = expected_output(layer)
        if expected is not None and expected != layer.output:
            sizes = f"expected an output of {shown(expected)} by the formula; got {shown(layer.output)}"
            return f"{where}: {layer.path}: {sizes}; fix the layer, or the formula in experiments/contract/sizes.py"
    return None
