"""Which kind of layer a layer of Keras is."""

from keras import layers as kl

from experiments.contract.layers import Kind
from models_tf.backend.activations import GELU
from models_tf.backend.arrays import is_depthwise
from models_tf.backend.positions import Positions
from models_tf.backend.windows import ADAPTIVE

# A class stands for those derived from it, too, unless they come before it.
KINDS: dict[type[kl.Layer], Kind] = {
    kl.DepthwiseConv2D: "depthwise convolution",
    kl.Conv2DTranspose: "transposed convolution",
    kl.Conv2D: "convolution",
    kl.Dense: "dense",
    kl.MaxPooling2D: "max pooling",
    kl.AveragePooling2D: "average pooling",
    kl.GlobalAveragePooling2D: "global average pooling",
    kl.GlobalMaxPooling2D: "global max pooling",
    kl.AdaptiveAveragePooling2D: "adaptive average pooling",
    kl.AdaptiveMaxPooling2D: "adaptive max pooling",
    kl.ZeroPadding2D: "zero padding",
    kl.Flatten: "flatten",
    kl.ReLU: "relu",
    kl.LeakyReLU: "leaky relu",
    GELU: "gelu",
    kl.PReLU: "prelu",
    kl.Softmax: "softmax",
    kl.SpatialDropout1D: "channel dropout",
    kl.SpatialDropout2D: "channel dropout",
    kl.AlphaDropout: "alpha dropout",
    kl.Dropout: "dropout",
    kl.BatchNormalization: "batch normalisation",
    kl.LayerNormalization: "layer normalisation",
    kl.GroupNormalization: "group normalisation",
    Positions: "positions",
    kl.Embedding: "embedding",
    kl.LSTM: "lstm",
    kl.GRU: "gru",
    kl.MultiHeadAttention: "attention",
}
# What `layers.Activation` is called with.
ACTIVATIONS: dict[str, Kind] = {
    "relu": "relu",
    "leaky_relu": "leaky relu",
    "gelu": "gelu",
    "silu": "silu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
}
DROPOUTS: tuple[Kind, ...] = ("dropout", "channel dropout", "alpha dropout")


def kind_of(layer: kl.Layer) -> Kind:
    """Return the kind of a layer."""
    if isinstance(layer, kl.Activation):
        return ACTIVATIONS.get(layer.activation.__name__, "other")
    if isinstance(layer, ADAPTIVE) and tuple(layer.output_size) == (1, 1):
        return "global average pooling" if isinstance(layer, kl.AdaptiveAveragePooling2D) else "global max pooling"
    if isinstance(layer, kl.Conv2D) and is_depthwise(layer):
        return "depthwise convolution"
    known = next((KINDS[kind] for kind in KINDS if isinstance(layer, kind)), None)
    return known or "other"
