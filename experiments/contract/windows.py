"""Do two layers move the same windows over an image? Outputs of the same size don't tell."""

from experiments.contract.layers import WINDOWED, Layer, Pair
from experiments.contract.sizes import padding_of, reach


def windows_differ(sides: dict[str, Layer]) -> str | None:
    """Return the setting in which the windows of two layers of one kind differ, with both values; None if in none.

    `sides` are the layers by backend.
    """
    (a, first), (b, second) = sides.items()
    if first.kind not in WINDOWED:
        return None
    for name in ("kernel", "stride", "dilation"):
        one, two = getattr(first, name), getattr(second, name)
        if one != two:
            return f"{name} differs: {one} in {a} and {two} in {b}"
    for axis in (0, 1):
        if _effective(first, axis) != _effective(second, axis):
            return f"padding differs: {padding_of(first, axis)} in {a} and {padding_of(second, axis)} in {b}"
    return None


def _effective(layer: Layer, axis: int) -> Pair:
    """Return the padding before an axis, and what the windows reach of that after it.

    With a stride, the last windows may not use the padding; those that round up add some.
    """
    before, after = padding_of(layer, axis)
    size, windows = layer.input[axis + 1], layer.output[axis + 1]
    if layer.kind in ("transposed convolution", "zero padding"):
        return before, after
    return before, max((windows - 1) * layer.stride[axis] + reach(layer, axis) - size - before, 0)
