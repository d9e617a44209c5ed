"""Dropout of PyTorch over the features of a sequence, as Keras has it."""

from torch import Tensor, nn


class SpatialDropout1d(nn.Dropout1d):
    """Drops whole features of sequences (n, steps, features), as Keras's SpatialDropout1D does.

    nn.Dropout1d takes (n, channels, length): of (n, steps, features) it would drop whole steps.
    """

    def forward(self, sequences: Tensor) -> Tensor:
        """Return the sequences; in training, without some of their features."""
        return super().forward(sequences.transpose(1, 2)).transpose(1, 2)
