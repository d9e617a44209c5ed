"""What tells an attention where a token is."""

from torch import Tensor, nn


class Positions(nn.Embedding):
    """Adds to each token the vector of its position: (n, t, features) → (n, t, features)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens, with their positions."""
        return tokens + self.weight[: tokens.shape[1]].to(tokens.dtype)
