"""Settings of known layers that have no twin in PyTorch, or that parity can't test."""

from collections.abc import Callable

from keras import layers

from experiments.contract.arrays import refuse_setting

AFTER = "put a dropout layer after it"
# For a kind of layer: what is expected, what it has (nothing, if it is as expected), and what to do.
RULES: tuple[tuple[tuple[type[layers.Layer], ...], str, Callable[[layers.Layer], object], str], ...] = (
    ((layers.RNN,), "no dropout inside, which parity can't test", lambda layer: _inner_dropout(layer), AFTER),
    (
        (layers.GRU,),
        "reset_after=True, as in PyTorch",
        lambda layer: None if layer.reset_after else "reset_after=False",
        "set it",
    ),
    (
        (layers.MultiHeadAttention,),
        "no dropout of its weights, which parity can't test",
        lambda layer: layer.get_config()["dropout"],
        AFTER,
    ),
    (
        (layers.Dropout, layers.AlphaDropout),
        "no noise_shape",
        lambda layer: layer.noise_shape,
        "use SpatialDropout1D or SpatialDropout2D",
    ),
)


def check_settings(path: str, layer: layers.Layer) -> None:
    """Refuse a layer of a known kind with settings that Tandem doesn't know.

    Raises:
        TandemError: naming the layer, what was expected, and what to use.
    """
    for kinds, expected, read, advice in RULES:
        if isinstance(layer, kinds) and (found := read(layer)):
            refuse_setting(path, type(layer).__name__, expected, found, advice)


def _inner_dropout(layer: layers.RNN) -> float:
    return float(getattr(layer, "dropout", 0.0) or getattr(layer, "recurrent_dropout", 0.0))
