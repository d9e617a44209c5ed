"""What tells an attention where a token is."""

import keras
from keras import KerasTensor, layers, ops


@keras.saving.register_keras_serializable("tandem")
class Positions(layers.Embedding):
    """Adds to each token the vector of its position: (n, t, features) → (n, t, features)."""

    def call(self, tokens: KerasTensor) -> KerasTensor:
        """Return the tokens, with their positions."""
        return tokens + ops.cast(self.embeddings[: tokens.shape[1]], tokens.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the tokens."""
        return input_shape
