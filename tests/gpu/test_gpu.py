"""What only a GPU can show: `make gpu`. Each framework has processes of its own; this one imports neither."""

import subprocess
import time
from typing import Any

import numpy as np
import pytest

from experiments.contract.backend import Device, TrainingSettings
from experiments.contract.model_settings import ModelSettings, Precision
from experiments.contract.weights import FloatArray, Weights, draw_weights
from experiments.data.dataset import Images, Labels
from experiments.engine.gpus import visible_gpus
from experiments.frameworks import load_backend
from experiments.parity.bounds import Key, measure
from experiments.settings.recipe import Arithmetic, BackendName, Recipe
from experiments.system.isolated import IsolatedProcess
from tests.models.backend_probe import ADAM, Recorder, recipe

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not visible_gpus(), reason="nvidia-smi shows no GPU")]
BACKENDS: tuple[BackendName, ...] = ("lightning", "keras")
DEVICES: tuple[Device, ...] = ("cpu", "gpu")
PRECISIONS: tuple[Precision, ...] = ("float32", "float64")
BATCH, MANY = 64, 20_000
LOGITS = "logits before the step"
DROPOUT: dict[str, Any] = {"architecture": "cnn3", "dropout": 0.4, **ADAM}
# Kernels, cuDNN's workspaces and the context of each process; a framework that takes all there is has far more.
MOST_MB, GROWTH_MB = 8_000, 64


def noise(count: int) -> tuple[Images, Labels]:
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (count, 28, 28, 1), np.uint8), generator.integers(0, 10, count).astype(np.uint16)


class Timed(Recorder):
    """A listener that keeps the seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def epoch_done(self, epoch: int, seconds: float, model: object) -> bool:
        self.seconds.append(seconds)
        return True


class Trainer:
    """A backend on a device, which trains one model after the other, as a worker does."""

    def __init__(self, name: BackendName, device: Device) -> None:
        self.backend = load_backend(name, device=device, threads=2)
        self.peak: float | None = None

    def train(self, settings: Recipe, count: int, precision: Precision = "float32") -> tuple[Weights, Timed]:
        built = ModelSettings(settings.architecture, (28, 28, 1), 10, settings.dropout, 1 / 77, -0.4, precision)
        model, listener, (images, labels) = self.backend.build(built), Timed(), noise(count)
        model.set_weights(draw_weights(model.parameters(), settings, seed=1))
        before = model.predict(images[:BATCH])
        training = TrainingSettings(settings, 1, 50)
        self.backend.train(model, images, labels, training, checkpoint=None, listener=listener)
        weights: Weights = {LOGITS: before, **model.get_weights()}
        self.peak = self.backend.peak_device_memory_mb()
        del model
        self.backend.forget_models()
        return weights, listener


def one_step(name: BackendName, device: Device) -> dict[Precision, Weights]:
    # A rate of 1, so that an error of the gradients is one of the weights.
    trainer, settings = Trainer(name, device), recipe(batch_size=BATCH, epochs=1, lr=1.0, momentum=0.0)
    return {precision: trainer.train(settings, BATCH, precision)[0] for precision in PRECISIONS}


def compare(steps: dict[Device, dict[Precision, Weights]]) -> dict[tuple[str, Precision], float]:
    """Return differences between two devices, as parts of what rounding may bring."""
    parts: dict[tuple[str, Precision], float] = {}
    for key, first in steps["cpu"]["float32"].items():
        flat: dict[Key, FloatArray] = {
            (device, precision): steps[device][precision][key].reshape(1, -1)
            for device in DEVICES
            for precision in PRECISIONS
        }
        for precision, (difference, bound) in measure(flat, [first.size], after_steps=False).items():
            parts[key, precision] = float((difference / bound).max())
    del parts[LOGITS, "float64"]  # logits are handed out in float32
    return parts


@pytest.mark.parametrize("name", BACKENDS)
def test_a_step_on_the_gpu_is_that_on_the_cpu_but_for_rounding(name: BackendName) -> None:
    steps: dict[Device, dict[Precision, Weights]] = {}
    for device in DEVICES:
        with IsolatedProcess(f"{name} on {device}") as process:
            steps[device] = process.call(one_step, name, device)
    parts = compare(steps)
    print(f"{name}: at most {max(parts.values()):.2g} of the bound")
    assert {key: part for key, part in parts.items() if not part <= 1} == {}


def step_in(name: BackendName, device: Device, precision: Arithmetic) -> Weights:
    settings = recipe(batch_size=BATCH, epochs=1, lr=1.0, momentum=0.0, precision=precision)
    return Trainer(name, device).train(settings, BATCH)[0]


@pytest.mark.parametrize("name", BACKENDS)
def test_tensor_float_32_is_on_for_the_step_alone_and_only_if_asked_for(name: BackendName) -> None:
    with IsolatedProcess(f"{name} in float32") as process:
        exact, plain = process.call(one_step, name, "gpu")["float64"], process.call(step_in, name, "gpu", "float32")
    with IsolatedProcess(f"{name} in tf32") as process:
        rounded = process.call(step_in, name, "gpu", "tf32")
    # What predicts isn't rounded.
    np.testing.assert_array_equal(rounded[LOGITS], plain[LOGITS], strict=True)
    gaps = {key: [float(np.abs(each[key] - exact[key]).max()) for each in (plain, rounded)] for key in exact}
    del gaps[LOGITS]
    print(f"{name}: gaps in float32 and tf32: {gaps}")
    # 11 bits in place of 24: 2¹³ times as far, of which sums in float32 hide a part.
    assert all(second > 50 * first for first, second in gaps.values())


def train_twice(name: BackendName) -> list[Weights]:
    trainer = Trainer(name, "gpu")
    return [trainer.train(recipe(epochs=2, **DROPOUT), 2_000)[0] for _ in range(2)]


@pytest.mark.parametrize("name", BACKENDS)
def test_the_gpu_gives_the_same_bits_again(name: BackendName) -> None:
    runs: list[Weights] = []
    for _ in range(2):
        with IsolatedProcess(name) as process:
            runs += process.call(train_twice, name)
    for again in runs[1:]:
        for key, value in runs[0].items():
            np.testing.assert_array_equal(again[key], value, strict=True, err_msg=key)


def train_for_a_while(name: BackendName, seconds: float) -> tuple[float, float, Weights]:
    trainer = Trainer(name, "gpu")
    weights, _ = trainer.train(recipe(epochs=1), 2_000)  # what is loaded and compiled once
    began = time.time()
    while time.time() - began < seconds:
        weights, _ = trainer.train(recipe(epochs=1), 2_000)
    return began, time.time(), weights


@pytest.mark.parametrize("names", [("lightning", "lightning"), ("keras", "keras"), BACKENDS])
def test_two_workers_share_a_gpu_at_the_same_time(names: tuple[BackendName, BackendName]) -> None:
    with IsolatedProcess("first") as first, IsolatedProcess("second") as second:
        futures = [each.submit(train_for_a_while, name, 15) for each, name in zip((first, second), names, strict=True)]
        (a_began, a_ended, a), (b_began, b_ended, b) = first.wait(futures[0]), second.wait(futures[1])
    assert max(a_began, b_began) < min(a_ended, b_ended)
    for key, value in a.items() if names[0] == names[1] else ():
        np.testing.assert_array_equal(b[key], value, strict=True, err_msg=key)


def used_mb() -> int:
    """Return the memory of the first visible GPU that is in use, by whomever: a container's pids are its own."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id", visible_gpus()[0]]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def memory_after_each(name: BackendName, times: int) -> list[int]:
    trainer, used = Trainer(name, "gpu"), []
    for _ in range(times):
        trainer.train(recipe(epochs=1, **DROPOUT), MANY)
        used.append(used_mb())
    return used


@pytest.mark.parametrize("name", BACKENDS)
def test_a_worker_leaves_room_and_does_not_grow(name: BackendName) -> None:
    before = used_mb()
    with IsolatedProcess(name) as process:
        used = process.call(memory_after_each, name, 6)
    print(f"{name}: {before} MB in use before, {used} after each training")
    assert max(used) - before < MOST_MB
    assert used[-1] - used[1] <= GROWTH_MB


def peak(name: BackendName, device: Device) -> float | None:
    trainer = Trainer(name, device)
    trainer.train(recipe(epochs=1), MANY)
    return trainer.peak


@pytest.mark.parametrize("name", BACKENDS)
def test_the_gpu_s_peak_is_that_of_the_training(name: BackendName) -> None:
    peaks: dict[Device, float | None] = {}
    for device in DEVICES:
        with IsolatedProcess(f"{name} on {device}") as process:
            peaks[device] = process.call(peak, name, device)
    print(f"{name}: {peaks['gpu']} MB")
    assert peaks["cpu"] is None
    assert MANY * 28 * 28 / 1e6 < (peaks["gpu"] or 0) < MOST_MB  # it holds the images, at least


def rates(name: BackendName, device: Device) -> list[float]:
    _, listener = Trainer(name, device).train(recipe(batch_size=BATCH, epochs=3), MANY)
    return [MANY / seconds for seconds in listener.seconds]


@pytest.mark.parametrize("name", BACKENDS)
def test_throughput_is_printed(name: BackendName) -> None:
    with IsolatedProcess(name) as process:
        found = process.call(rates, name, "gpu")
    print(f"{name}, lenet, batches of {BATCH}: {', '.join(f'{rate:,.0f}' for rate in found)} images/s in each epoch")
    assert min(found) > 0
