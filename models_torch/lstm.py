"""A recurrent network that reads an image row by row, as a sequence of 28 vectors of 28 pixels."""

from torch import Tensor, nn

from models_torch.backend.recurrent import LSTM


class RowLstm(nn.Module):
    """Scaled images, float32 (n, 1, 28, 28) → logits (n, classes)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.lstm = LSTM(28, 128)  # the last of 28 outputs → 128
        self.output = nn.Linear(128, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.output(self.lstm(images[:, 0]))
        return logits


def build(classes: int) -> nn.Module:
    """Return the network for scaled images, float32 (n, 1, 28, 28) → logits (n, classes)."""
    return RowLstm(classes)
