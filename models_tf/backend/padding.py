"""Convolution and max pooling of Keras that pad as PyTorch does: by a number, the same at both ends of an axis.

Keras's `same` with a stride pads so that the output has ceil(size / stride) pixels: of an even number of pixels, a
3×3 window with stride 2 sees 0 before and 1 after them, and PyTorch's `padding=1` sees 1 and 1.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import KerasTensor, layers, ops

# A number for both axes, one for each (height, width), or Keras's `valid` and `same`.
Padding = int | Sequence[int] | str
Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable("tandem")
class Conv2D(layers.Conv2D):
    """A convolution that takes PyTorch's padding too, and then pads with zeros.

    `pads` has the zeros at either end of (height, width); None: `padding` was one of Keras's words.
    """

    def __init__(self, filters: int, kernel_size: int | Sequence[int], *, padding: Padding = 0, **options: Any) -> None:
        self.pads = _pads(padding)
        super().__init__(filters, kernel_size, padding=padding if self.pads is None else "valid", **options)
        reaches = [rate * (size - 1) for rate, size in zip(self.dilation_rate, self.kernel_size, strict=True)]
        if self.pads is not None and max(self.strides) == 1 and [2 * pad for pad in self.pads] == reaches:
            self.padding = "same"  # the same zeros, without a copy of the images: a third faster

    def convolution_op(self, inputs: KerasTensor, kernel: KerasTensor) -> KerasTensor:
        """Return the convolution of the padded images."""
        return super().convolution_op(inputs if self.padding == "same" else _pad(inputs, self.pads, 0.0), kernel)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, (n, height, width, filters)."""
        return super().compute_output_shape(
            input_shape if self.padding == "same" else _padded_shape(input_shape, self.pads)
        )

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return super().get_config() | ({} if self.pads is None else {"padding": self.pads})


@keras.saving.register_keras_serializable("tandem")
class MaxPooling2D(layers.MaxPooling2D):
    """Max pooling that takes PyTorch's padding too, and then pads with the lowest number: padding is never the maximum.

    `pads` as in `Conv2D`.

    Raises:
        ValueError: more than half of a window could be padding, which PyTorch refuses too.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        *,
        padding: Padding = 0,
        **options: Any,
    ) -> None:
        self.pads = _pads(padding)
        super().__init__(pool_size, strides, padding=padding if self.pads is None else "valid", **options)
        if self.pads and any(2 * pad > size for pad, size in zip(self.pads, self.pool_size, strict=True)):
            raise ValueError(f"padding: expected at most half of the window {self.pool_size}; got {padding}")

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Return the maxima of the padded images."""
        return super().call(_pad(inputs, self.pads, float(tf.as_dtype(self.compute_dtype).min)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, (n, height, width, channels)."""
        return super().compute_output_shape(_padded_shape(input_shape, self.pads))

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return super().get_config() | ({} if self.pads is None else {"padding": self.pads})


def _pads(padding: Padding) -> tuple[int, int] | None:
    if isinstance(padding, str):
        return None
    height, width = (padding, padding) if isinstance(padding, int) else padding
    return int(height), int(width)


def _pad(images: KerasTensor, pads: tuple[int, int] | None, value: float) -> KerasTensor:
    if pads is None or not any(pads):
        return images
    height, width = pads
    return ops.pad(images, ((0, 0), (height, height), (width, width), (0, 0)), constant_values=value)


def _padded_shape(shape: Shape, pads: tuple[int, int] | None) -> Shape:
    images, *sizes, channels = shape
    padded = (size and size + 2 * pad for size, pad in zip(sizes, pads or (0, 0), strict=True))
    return images, *padded, channels
