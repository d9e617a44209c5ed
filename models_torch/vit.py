"""A small vision transformer: Dosovitskiy et al., "An image is worth 16x16 words" (2021), with patches of 7×7 pixels.

The mean of all tokens is classified, without a class token, after Beyer et al., "Better plain ViT baselines" (2022).
"""

from collections import OrderedDict

from torch import Tensor, nn

from experiments.contract.patches import count_patches
from models_torch.backend.positions import Positions

FEATURES, HEADS, HIDDEN = 64, 4, 128


class Block(nn.Module):
    """An attention and a small dense network, each beside a shortcut: (n, t, 64) → (n, t, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(FEATURES)
        self.attention = nn.MultiheadAttention(FEATURES, HEADS, batch_first=True)
        self.norm2 = nn.LayerNorm(FEATURES)
        self.dense1 = nn.Linear(FEATURES, HIDDEN)
        self.gelu = nn.GELU()
        self.dense2 = nn.Linear(HIDDEN, FEATURES)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens, after each has seen the others."""
        normed = self.norm1(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        output: Tensor = tokens + self.dense2(self.gelu(self.dense1(self.norm2(tokens))))
        return output


class VisionTransformer(nn.Module):
    """Scaled images, float32 (n, channels, height, width) → logits (n, classes)."""

    def __init__(self, classes: int, patch: int, tokens: int) -> None:
        super().__init__()
        self.patches = nn.LazyConv2d(FEATURES, kernel_size=patch, stride=patch)  # → 64×4×4
        self.positions = Positions(tokens, FEATURES)
        self.blocks = nn.Sequential(OrderedDict((f"block{number}", Block()) for number in range(1, 5)))
        self.norm = nn.LayerNorm(FEATURES)
        self.output = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        tokens = self.patches(images).flatten(2).transpose(1, 2)  # → 16×64
        logits: Tensor = self.output(self.norm(self.blocks(self.positions(tokens))).mean(dim=1))
        return logits


def build(classes: int, image_shape: tuple[int, int, int], patch: int = 7) -> nn.Module:
    """Return the network for scaled images, float32 (n, channels, height, width) → logits (n, classes).

    Raises:
        TandemError: the images aren't made of whole patches of that many pixels in height and width.
    """
    return VisionTransformer(classes, patch, count_patches(image_shape, patch))
