"""Which kind of layer a layer of PyTorch is."""

from torch import nn

from experiments.contract.layers import Kind
from models_torch.backend.arrays import is_depthwise
from models_torch.backend.positions import Positions
from models_torch.backend.recurrent import GRU, LSTM
from models_torch.backend.windows import pair

# A class stands for those derived from it, too.
KINDS: dict[type[nn.Module], Kind] = {
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
    nn.Linear: "dense",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AdaptiveAvgPool2d: "adaptive average pooling",
    nn.AdaptiveMaxPool2d: "adaptive max pooling",
    nn.ZeroPad2d: "zero padding",
    nn.Flatten: "flatten",
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky relu",
    nn.PReLU: "prelu",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.Softmax: "softmax",
    nn.Dropout: "dropout",
    nn.Dropout1d: "channel dropout",
    nn.Dropout2d: "channel dropout",
    nn.AlphaDropout: "alpha dropout",
    nn.BatchNorm1d: "batch normalisation",
    nn.BatchNorm2d: "batch normalisation",
    nn.LayerNorm: "layer normalisation",
    nn.GroupNorm: "group normalisation",
    nn.Embedding: "embedding",
    Positions: "positions",
    LSTM: "lstm",
    GRU: "gru",
    nn.MultiheadAttention: "attention",
}
DROPOUTS: tuple[Kind, ...] = ("dropout", "channel dropout", "alpha dropout")


def kind_of(layer: nn.Module) -> Kind:
    """Return the kind of a layer."""
    if isinstance(layer, nn.Conv2d) and is_depthwise(layer):
        return "depthwise convolution"
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d) and pair(layer.output_size) == (1, 1):
        return "global average pooling" if isinstance(layer, nn.AdaptiveAvgPool2d) else "global max pooling"
    known = next((KINDS[kind] for kind in type(layer).__mro__ if kind in KINDS), None)
    return known or "other"
