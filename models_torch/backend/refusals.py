"""Settings of known layers that have no twin in Keras, or that parity can't test."""

from torch import nn

from experiments.contract.arrays import refuse_setting
from models_torch.backend.recurrent import GRU, LSTM


def check_settings(path: str, layer: nn.Module) -> None:
    """Refuse a layer of a known kind with settings that Tandem doesn't know.

    Raises:
        TandemError: naming the layer, what was expected, and what to use.
    """
    for own, twin in ((nn.LSTM, LSTM), (nn.GRU, GRU)):
        if isinstance(layer, own) and not isinstance(layer, twin):
            use = f"{twin.__module__}.{twin.__name__}"
            refuse_setting(path, f"nn.{own.__name__}", f"{use}, the twin of Keras's", "PyTorch's own", "use that one")
    if isinstance(layer, nn.MultiheadAttention) and layer.dropout:
        expected = "no dropout of its weights, which parity can't test"
        refuse_setting(path, "nn.MultiheadAttention", expected, layer.dropout, "put a dropout layer after it")
    if isinstance(layer, nn.MultiheadAttention) and not layer.batch_first:
        refuse_setting(path, "nn.MultiheadAttention", "batch_first=True, as in Keras", False, "set it")
