"""Faults of a conversion to plant in a framework's process, for one job at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

from experiments.system.isolated import IsolatedProcess
from tests import normed
from tests.parity import planted

P = ParamSpec("P")
R = TypeVar("R")


class FaultyProcess(IsolatedProcess):
    """A process, named after its framework, that does its jobs with the fault `fault` if that is one of this one."""

    fault = ""

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        return super().submit(run_with_fault, self.fault, self.name, partial(function, *args, **kwargs))


def run_with_fault(fault: str, here: str, job: Callable[[], R]) -> R:
    backend, plant = FAULTS.get(fault, ("", nullcontext))
    with normed.registered(), plant() if backend == here else nullcontext():
        return job()


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
    import torch

    from models_torch.backend.model import TorchModel

    def save(model: TorchModel, folder: Path) -> None:
        state = model.native().state_dict()
        state["network.output.bias"] += 1e-7
        torch.save(state, folder / "model.pt")

    return patch.object(TorchModel, "save", save)


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
