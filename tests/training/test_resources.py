from pathlib import Path
from typing import cast

import pytest

from experiments.contract.backend import Backend
from experiments.contract.model import Model
from experiments.contract.phases import Phases
from experiments.training.checkpoint import Checkpoint, State
from experiments.training.resources import measure, medians, to_metrics, to_record


class Device:
    """The part of a backend that says what a training takes."""

    def __init__(self, peak: float | None) -> None:
        self.phases, self.peak = Phases(), peak

    def peak_device_memory_mb(self) -> float | None:
        return self.peak


def process(folder: Path, imports: float, peak: float | None) -> State:
    """Do what a process of a training does that is stopped after a checkpoint."""
    state, device = Checkpoint(folder).load() or State("run"), Device(peak)
    device.phases.restart(imports=imports)
    device.phases.add(state.seconds)
    for _ in range(3):  # after each epoch: it adds nothing twice
        measure(state, cast(Backend[Model], device))
        Checkpoint(folder).save(state)
    return state


def test_a_resumed_training_adds_up_its_processes_and_keeps_the_highest_peak(tmp_path: Path) -> None:
    process(tmp_path, 30.0, 500.0)
    state = process(tmp_path, 20.0, 400.0)
    assert state.seconds["imports"] == 50
    assert sum(state.seconds.values()) == pytest.approx(50, abs=1)
    assert state.peaks["peak_device_memory_mb"] == 500
    assert to_record(state).keys() == {"seconds", "peak_memory_mb", "peak_device_memory_mb"}
    assert to_metrics(state)["time/imports"] == 50


def test_on_a_cpu_there_is_one_peak(tmp_path: Path) -> None:
    assert process(tmp_path, 1.0, None).peaks.keys() == {"peak_memory_mb"}


def test_medians_are_over_the_epochs() -> None:
    history = [{"epoch_seconds": seconds, "images_per_second": 1 / seconds} for seconds in (9.0, 2.0, 4.0)]
    assert medians(history) == {"median_epoch_seconds": 4.0, "median_images_per_second": 0.25}
    assert medians([]) == medians([{"epoch": 1.0}]) == {}
