"""What a training takes: the seconds of each phase, memory, and the median of its epochs."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.contract.backend import Backend
from experiments.contract.model import Model
from experiments.system.memory import peak_memory_mb
from experiments.training.checkpoint import State

# Of each epoch; the first one of a process is slower than the others, so that a training has their median.
PER_EPOCH = ("epoch_seconds", "images_per_second")


def medians(history: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return `median_epoch_seconds` and `median_images_per_second` of a history that has these of every epoch."""
    return {
        f"median_{name}": statistics.median(row[name] for row in history)
        for name in PER_EPOCH
        if history and all(name in row for row in history)
    }


def measure(state: State, backend: Backend[Model]) -> None:
    """Put into the state what the training has taken until now, in earlier processes too."""
    state.seconds = dict(backend.phases.seconds())
    device = backend.peak_device_memory_mb()
    peaks = {"peak_memory_mb": peak_memory_mb()} | ({} if device is None else {"peak_device_memory_mb": device})
    state.peaks |= {name: max(peak, state.peaks.get(name, 0.0)) for name, peak in peaks.items()}


def to_record(state: State) -> dict[str, Any]:
    """Return it as run.json has it: `seconds` of each phase, and the peaks in 10⁶ bytes."""
    return {"seconds": state.seconds, **state.peaks}


def to_metrics(state: State) -> dict[str, float]:
    """Return it, and the medians, as MLflow has them."""
    seconds = {f"time/{phase}": value for phase, value in state.seconds.items()}
    return seconds | state.peaks | medians(list(state.history.values()))
