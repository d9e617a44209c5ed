"""Normalisations of Keras that keep PyTorch's statistics."""

from typing import Any

import keras
from keras import KerasTensor, layers, ops


@keras.saving.register_keras_serializable("tandem")
class BatchNormalization(layers.BatchNormalization):
    """Batch normalisation with PyTorch's defaults, and its running variance.

    Both frameworks normalise a batch by its biased variance, divided by n. Into the running variance, PyTorch takes the
    unbiased one, divided by n - 1 (documentation of torch.nn.BatchNorm2d), and Keras the biased one. PyTorch's momentum
    is the share of the new batch, 0.1, and Keras's that of the old value, 0.9.

    Raises:
        ValueError: in training, a channel has a single value.
    """

    def __init__(self, *, momentum: float = 0.9, epsilon: float = 1e-5, **options: Any) -> None:
        super().__init__(momentum=momentum, epsilon=epsilon, **options)

    def call(self, inputs: KerasTensor, training: bool | None = None, mask: KerasTensor | None = None) -> KerasTensor:
        """Return the inputs, normalised; in training, update the statistics."""
        kept = self.momentum * self.moving_variance
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            # What the batch has contributed, a share of its biased variance, times n / (n - 1).
            of_batch = self.moving_variance - kept
            self.moving_variance.assign(self.moving_variance + of_batch / (self._values(inputs, of_batch.dtype) - 1))
        return outputs

    def _values(self, inputs: KerasTensor, dtype: str) -> KerasTensor:
        """Return how many values of a batch a channel has."""
        sizes = ops.shape(inputs)
        axis = self.axis % len(sizes)
        return ops.cast(ops.prod(ops.stack([size for at, size in enumerate(sizes) if at != axis])), dtype)
