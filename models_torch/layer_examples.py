"""Every layer that Tandem knows, in a small network: `tandem layers` proves that Keras's is the same.

`models_tf.layer_examples` has the same names in the same order. `tandem layers` reads the calls from this file.
"""

from collections import OrderedDict
from collections.abc import Callable
from inspect import signature

import torch
from torch import Tensor, nn

from models_torch.backend.dropout import SpatialDropout1d
from models_torch.backend.positions import Positions
from models_torch.backend.recurrent import GRU, LSTM

# By what the layer gets: features (16,), images (8, 6, 6), sequences (28, 8), or 28 tokens below 29.
EXAMPLES: dict[str, dict[str, Callable[..., nn.Module]]] = {
    "features": {
        "dense": lambda: nn.Linear(16, 8),
        "batch-norm-1d": lambda: nn.BatchNorm1d(16),
        "layer-norm": lambda: nn.LayerNorm(16),
        "relu": lambda: nn.ReLU(),
        "leaky-relu": lambda: nn.LeakyReLU(),
        "prelu": lambda: nn.PReLU(),
        "gelu": lambda: nn.GELU(),
        "gelu-tanh": lambda: nn.GELU(approximate="tanh"),
        "silu": lambda: nn.SiLU(),
        "tanh": lambda: nn.Tanh(),
        "sigmoid": lambda: nn.Sigmoid(),
        "softmax": lambda: nn.Softmax(dim=1),
        "dropout": lambda rate: nn.Dropout(rate),
        "alpha-dropout": lambda rate: nn.AlphaDropout(rate),
    },
    "images": {
        "convolution": lambda: nn.Conv2d(8, 4, 3),
        "convolution-same": lambda: nn.Conv2d(8, 4, 3, padding="same"),
        "convolution-strided": lambda: nn.Conv2d(8, 4, 3, stride=2, padding=1),
        "convolution-dilated": lambda: nn.Conv2d(8, 4, 3, dilation=2),
        "convolution-grouped": lambda: nn.Conv2d(8, 4, 3, groups=2),
        "convolution-depthwise": lambda: nn.Conv2d(8, 16, 3, groups=8),
        "convolution-transposed": lambda: nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        "zero-padding": lambda: nn.ZeroPad2d((1, 0, 2, 1)),
        "max-pooling": lambda: nn.MaxPool2d(2),
        "max-pooling-padded": lambda: nn.MaxPool2d(3, stride=2, padding=1),
        "average-pooling": lambda: nn.AvgPool2d(2),
        "adaptive-average-pooling": lambda: nn.AdaptiveAvgPool2d(4),
        "global-average-pooling": lambda: nn.AdaptiveAvgPool2d(1),
        "adaptive-max-pooling": lambda: nn.AdaptiveMaxPool2d(4),
        "global-max-pooling": lambda: nn.AdaptiveMaxPool2d(1),
        "batch-norm-2d": lambda: nn.BatchNorm2d(8),
        "group-norm": lambda: nn.GroupNorm(4, 8),
        "layer-norm-of-images": lambda: nn.LayerNorm((8, 6, 6)),
        "prelu-per-channel": lambda: nn.PReLU(8),
        "channel-dropout-2d": lambda rate: nn.Dropout2d(rate),
        "residual": lambda: Residual(nn.Conv2d(8, 8, 3, padding="same")),
        "flatten": lambda: nn.Flatten(),
    },
    "sequences": {
        "dense-of-steps": lambda: nn.Linear(8, 4),
        "lstm": lambda: LSTM(8, 6),
        "gru": lambda: GRU(8, 6, return_sequences=True),
        "attention": lambda: OfItself(nn.MultiheadAttention(8, 2, batch_first=True)),
        "positions": lambda: Positions(28, 8),
        "channel-dropout-1d": lambda rate: SpatialDropout1d(rate),
    },
    "tokens": {
        "embedding": lambda: nn.Embedding(29, 6),
    },
}


class Rows(nn.Module):
    """Images (n, 1, height, width) as sequences of rows, (n, height, width)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the sequences."""
        return images.squeeze(1)


class Tokens(nn.Module):
    """Images (n, 1, height, width) as a token for each row: how many of its pixels are above 0, int32 (n, height)."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the tokens."""
        return (images > 0).sum((1, 3), dtype=torch.int32)


class Residual(nn.Module):
    """What a layer returns, added to its input."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum."""
        output: Tensor = inputs + self.inner(inputs)
        return output


class OfItself(nn.Module):
    """Attention of a sequence to itself: queries, keys and values are the same."""

    def __init__(self, inner: nn.MultiheadAttention) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the attention's output."""
        output: Tensor = self.inner(inputs, inputs, inputs, need_weights=False)[0]
        return output


STEMS: dict[str, Callable[[], dict[str, nn.Module]]] = {
    "features": lambda: {"pixels": nn.Flatten(), "stem": nn.Linear(784, 16)},
    "images": lambda: {"stem": nn.Conv2d(1, 8, kernel_size=5, stride=4)},
    "sequences": lambda: {"rows": Rows(), "stem": nn.Linear(28, 8)},
    "tokens": lambda: {"tokens": Tokens()},
}


def build(layer: str, classes: int, **rate: float) -> nn.Sequential:
    """Return the network around a layer, for scaled images, float32 (n, 1, 28, 28) → logits (n, classes)."""
    given = given_to(layer)
    parts = OrderedDict(STEMS[given](), layer=EXAMPLES[given][layer](*rate.values()), flatten=nn.Flatten())
    with torch.no_grad():
        features = nn.Sequential(parts).eval()(torch.zeros(1, 1, 28, 28)).shape[1]
    return nn.Sequential(OrderedDict(parts, output=nn.Linear(features, classes))).train()


def given_to(layer: str) -> str:
    """Return what a layer gets: one of the keys of EXAMPLES."""
    return next(given for given, layers in EXAMPLES.items() if layer in layers)


def alone(layer: str) -> nn.Module:
    """Return a layer, without what is around it."""
    make = EXAMPLES[given_to(layer)][layer]
    made = make(*[0.5 for _ in signature(make).parameters])
    return made.inner if isinstance(made, Residual | OfItself) else made
