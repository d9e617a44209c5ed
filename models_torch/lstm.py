"""A recurrent network that reads an image row by row: one of 28×28 pixels as a sequence of 28 vectors of 28 pixels."""

from torch import Tensor, nn

from models_torch.backend.recurrent import LSTM


class RowLstm(nn.Module):
    """Scaled images, float32 (n, channels, height, width) → logits (n, classes)."""

    def __init__(self, classes: int, width: int, channels: int) -> None:
        super().__init__()
        self.lstm = LSTM(width * channels, 128)  # the last of 28 outputs → 128
        self.output = nn.Linear(128, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        rows = images.permute(0, 2, 3, 1).flatten(2)  # pixel by pixel, as in Keras
        logits: Tensor = self.output(self.lstm(rows))
        return logits


def build(classes: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes)."""
    _, width, channels = image_shape
    return RowLstm(classes, width, channels)
