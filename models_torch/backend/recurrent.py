"""Recurrent layers of PyTorch with the interface of Keras: batch first, and the last output alone unless asked."""

from torch import Tensor, nn


class LSTM(nn.LSTM):
    """A long short-term memory with one bias: (n, t, inputs) → (n, units), or (n, t, units) with `return_sequences`.

    Both frameworks order the gates as input, forget, cell, output. PyTorch adds two biases, and so trains their sum
    twice as fast as Keras trains its one; here the second, `bias_hh_l0`, stays 0 and has no gradient.
    """

    def __init__(self, inputs: int, units: int, *, return_sequences: bool = False) -> None:
        super().__init__(inputs, units, batch_first=True)
        self.return_sequences = return_sequences
        unused = self.get_parameter("bias_hh_l0").requires_grad_(False)
        nn.init.zeros_(unused)

    def forward(self, sequences: Tensor) -> Tensor:  # type: ignore[override]
        """Return the outputs of all steps, or of the last."""
        outputs, _ = super().forward(sequences)
        return outputs if self.return_sequences else outputs[:, -1]


class GRU(nn.GRU):
    """A gated recurrent unit: (n, t, inputs) → (n, units), or (n, t, units) with `return_sequences`.

    The reset gate applies after the product with the recurrent weights, as in Keras with `reset_after`, its default.
    """

    def __init__(self, inputs: int, units: int, *, return_sequences: bool = False) -> None:
        super().__init__(inputs, units, batch_first=True)
        self.return_sequences = return_sequences

    def forward(self, sequences: Tensor) -> Tensor:  # type: ignore[override]
        """Return the outputs of all steps, or of the last."""
        outputs, _ = super().forward(sequences)
        return outputs if self.return_sequences else outputs[:, -1]
