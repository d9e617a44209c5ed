"""Faults of a conversion to plant in a framework's process, for one job at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from tests.parity import planted


class FaultyProcess(planted.BuggyProcess):
    """A process that does its jobs with one of the faults below."""

    bugs = f"{__name__}:FAULTS"


def another_layer() -> Any:
    """The statistics of the second normalisation go where those of the first belong, as far as they fit."""
    return _setting("models_torch.backend.model.TorchModel", "bn1/bias", lambda weights: weights["bn1/running_mean"])


def variance_dropped() -> Any:
    return _setting(
        "models_tf.backend.model.KerasModel", "bn2/running_var", lambda weights: 0 * weights["bn2/running_var"] + 1
    )


def _setting(target: str, name: str, value: Callable[[Any], Any]) -> Any:
    from pkgutil import resolve_name

    model = resolve_name(target)
    original = model.set_weights

    def set_weights(model: Any, weights: Any) -> None:
        original(model, {**weights, name: value(weights)})

    return patch.object(model, "set_weights", set_weights)


def saved_otherwise() -> Any:
    """What is in the file isn't what was loaded."""
    from models_torch.backend.model import TorchModel

    original = TorchModel.native

    def native(model: TorchModel) -> Any:
        copy: Any = original(model)
        copy.network.output.bias.data += 1e-7
        return copy

    return patch.object(TorchModel, "native", native)


def another_epsilon_in_the_file() -> Any:
    """A class whose file doesn't say all that it was built with."""
    from models_tf.backend.normalisation import BatchNormalization

    original = BatchNormalization.get_config

    def get_config(layer: BatchNormalization) -> Any:
        return {**original(layer), "epsilon": 1e-3}

    return patch.object(BatchNormalization, "get_config", get_config)


FAULTS: dict[str, tuple[str, Callable[[], AbstractContextManager[Any]]]] = {
    "another layer": ("lightning", another_layer),
    "variance dropped": ("keras", variance_dropped),
    "saved otherwise": ("lightning", saved_otherwise),
    "another epsilon in the file": ("keras", another_epsilon_in_the_file),
    **{name: planted.BUGS[name] for name in ("flatten order", "low precision", "sum for mean")},
}
