"""Both backends, each in a process of its own, in the same small trainings: what they must have in common."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from experiments.contract.arrays import DENSE, Shapes
from experiments.contract.weights import draw_weights
from experiments.frameworks import PACKAGES
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess
from experiments.system.processes import threads_for
from tests.conftest import ROOT
from tests.models import backend_probe
from tests.models.backend_probe import BATCH, EPOCHS, EVERY, IMAGES, data, first_batch_by_hand

Arrays = dict[str, npt.NDArray[Any]]
BACKENDS = list(PACKAGES)
STEPS = -(-IMAGES // BATCH)


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Arrays]]:
    """Scenario → arrays, for each backend."""
    probed: dict[str, dict[str, Arrays]] = {}
    for backend in BACKENDS:
        folder = tmp_path_factory.mktemp(backend)
        with IsolatedProcess(backend) as process:
            process.call(backend_probe.run, backend, folder)
            assert process.output() == "", "a backend prints without being asked"
        probed[backend] = {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}
        probed[backend]["folder"] = {"path": np.array(str(folder))}
    return probed


Probed = dict[str, dict[str, Arrays]]


def weights(arrays: Arrays) -> Arrays:
    return {name: value for name, value in arrays.items() if name.startswith("weights:")}


def largest_difference(a: Arrays, b: Arrays) -> float:
    assert list(a) == list(b)
    return max(float(np.abs(a[name] - b[name]).max()) for name in a)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_returns_the_weights_that_it_was_given(probed: Probed, backend: str) -> None:
    arrays = weights(probed[backend]["start"])
    shapes = {name.removeprefix("weights:"): value.shape for name, value in arrays.items()}
    parameters = [
        spec.parameter(layer, Shapes({s.name: shapes[f"{layer}/{s.name}"] for s in DENSE}), trainable=True)
        for layer in dict.fromkeys(name.rpartition("/")[0] for name in shapes)
        for spec in DENSE
    ]
    drawn = draw_weights(parameters, backend_probe.recipe(), seed=1)
    assert [p.name for p in parameters] == [
        f"{layer}/{kind}" for layer in ("conv1", "conv2", "dense1", "output") for kind in ("weight", "bias")
    ]
    for name, value in drawn.items():
        np.testing.assert_array_equal(arrays[f"weights:{name}"], value)


@pytest.mark.parametrize("scenario", ["logits", "cnn3 logits"])
def test_the_same_weights_give_the_same_logits(probed: Probed, scenario: str) -> None:
    a, b = (probed[backend][scenario]["logits"] for backend in BACKENDS)
    assert a.dtype == b.dtype == np.float32
    # A few hundred float32 additions in another order: relative rounding of about √n·2⁻²⁴ ≈ 1e-6.
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert a.std() > 0.01


# Adam divides by a root of squared gradients, which amplifies float32's rounding where gradients are small; with
# Keras's own Adam, epsilon 1e-7 where PyTorch has 1e-8, the losses here are 0.017 apart.
@pytest.mark.parametrize(("optimiser", "tolerance"), [("sgd", 2e-5), ("adam", 1e-4)])
def test_a_pair_takes_the_same_steps(probed: Probed, optimiser: str, tolerance: float) -> None:
    a, b = (probed[backend][optimiser] for backend in BACKENDS)
    assert len(a["losses"]) == STEPS * EPOCHS
    np.testing.assert_allclose(a["losses"], b["losses"], rtol=0, atol=tolerance)
    np.testing.assert_array_equal(a["correct"], b["correct"])
    assert a["losses"][-STEPS:].mean() < a["losses"][:STEPS].mean() - 0.01


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_loss_is_that_of_the_first_batch(probed: Probed, backend: str) -> None:
    _, labels = data()
    by_hand = first_batch_by_hand(probed[backend]["logits"]["logits"], labels)
    assert probed[backend]["sgd"]["losses"][0] == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_step_is_reported_once_and_in_order(probed: Probed, backend: str) -> None:
    arrays = probed[backend]["sgd"]
    reports = [*range(EVERY, STEPS, EVERY), STEPS]
    assert arrays["reports"].tolist() == [[epoch, step] for epoch in range(1, EPOCHS + 1) for step in reports]
    assert arrays["epochs"].tolist() == list(range(1, EPOCHS + 1))
    assert arrays["correct"].reshape(EPOCHS, STEPS)[:, -1].max() <= IMAGES % BATCH


@pytest.mark.parametrize("backend", BACKENDS)
def test_drop_last_keeps_complete_batches_only(probed: Probed, backend: str) -> None:
    assert len(probed[backend]["drop last"]["losses"]) == (IMAGES // BATCH) * EPOCHS


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_training_gives_the_same_bits(probed: Probed, backend: str) -> None:
    a, b = probed[backend]["sgd"], probed[backend]["sgd again"]
    assert largest_difference(weights(a), weights(b)) == 0
    np.testing.assert_array_equal(a["losses"], b["losses"])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "fed"), [("sgd", "fed"), ("colour", "colour, fed")])
def test_images_that_come_block_by_block_give_the_same_bits(probed: Probed, backend: str, name: str, fed: str) -> None:
    a, b = probed[backend][name], probed[backend][fed]
    assert largest_difference(weights(a), weights(b)) == 0
    np.testing.assert_array_equal(a["losses"], b["losses"])


# Noise in colour leaves many values close to ReLU's corner. TensorFlow rounds otherwise without oneDNN, as on an older
# processor: enough for one to be on its other side from step 4 on, and for a loss to be 5e-4 apart.
@pytest.mark.parametrize(("name", "steps", "tolerance"), [("augmented", STEPS * EPOCHS, 1e-4), ("colour", 3, 5e-6)])
def test_both_train_alike_on_augmented_images_and_in_colour(
    probed: Probed, name: str, steps: int, tolerance: float
) -> None:
    a, b = (probed[backend][name]["losses"] for backend in BACKENDS)
    assert len(a) == len(b) >= steps
    np.testing.assert_allclose(a[:steps], b[:steps], rtol=0, atol=tolerance)
    assert not np.allclose(a[:5], probed["keras"]["sgd"]["losses"][:5], rtol=0, atol=1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("optimiser", ["sgd", "adam", "dropout", "augmented"])
def test_a_resumed_training_ends_with_the_bits_of_an_uninterrupted_one(
    probed: Probed, backend: str, optimiser: str
) -> None:
    whole, resumed = probed[backend][optimiser], probed[backend][f"{optimiser} resumed"]
    assert resumed["epochs"].tolist() == list(range(2, EPOCHS + 1))
    assert largest_difference(weights(whole), weights(resumed)) == 0
    np.testing.assert_array_equal(whole["losses"][STEPS:], resumed["losses"])
    at_the_end = probed[backend][f"{optimiser} resumed at the end"]
    assert largest_difference(weights(whole), weights(at_the_end)) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_that_its_listener_ends_has_no_more_epochs(probed: Probed, backend: str) -> None:
    two, ended = probed[backend]["two epochs"], probed[backend]["ended"]
    assert ended["epochs"].tolist() == [1, 2]
    assert largest_difference(weights(two), weights(ended)) == 0
    resumed = probed[backend]["ended, resumed"]
    assert "epochs" not in resumed, "it was trained further"
    assert largest_difference(weights(two), weights(resumed)) == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_dropout_is_on_in_training(probed: Probed, backend: str) -> None:
    a, b = probed[backend]["dropout"], probed[backend]["no dropout"]
    # In the first batch the weights are still the same: dropout alone moves the loss.
    assert abs(a["losses"][0] - b["losses"][0]) > 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("style", ["cnn3-functional", "cnn3-subclassed"])
def test_styles_of_a_network_give_the_same_bits(probed: Probed, backend: str, style: str) -> None:
    assert largest_difference(weights(probed[backend]["dropout"]), weights(probed[backend][style])) == 0
    np.testing.assert_array_equal(probed[backend]["dropout"]["losses"], probed[backend][style]["losses"])


LOADS = {"lightning": backend_probe.load_torch, "keras": backend_probe.load_keras}


@pytest.fixture(scope="module")
def others() -> Iterator[dict[str, IsolatedProcess]]:
    """A process for each backend, which has built and trained nothing, and finds no GPU."""
    hidden = {"CUDA_VISIBLE_DEVICES": ""}
    with ExitStack() as stack:
        yield {backend: stack.enter_context(IsolatedProcess(backend, hidden)) for backend in BACKENDS}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("architecture", ["lenet", "inception", "cnn3-subclassed"])
def test_a_saved_model_loads_in_another_process(
    probed: Probed, others: dict[str, IsolatedProcess], backend: str, architecture: str
) -> None:
    folder = Path(str(probed[backend]["folder"]["path"])) / architecture
    logits = others[backend].call(LOADS[backend], folder, architecture)
    np.testing.assert_allclose(logits, np.load(folder / "logits.npy"), rtol=1e-5, atol=1e-5)


def test_threads_are_as_many_as_asked_for() -> None:
    assert threads_for(3) == 3
    assert threads_for("auto") >= 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_gpu_is_one_line(others: dict[str, IsolatedProcess], backend: BackendName) -> None:
    expected = r"^params\.yaml: train\.device: expected a GPU that .*; got none; set auto or cpu$"
    with pytest.raises(TandemError, match=expected):
        others[backend].call(backend_probe.gpu, backend)


WITHOUT_ROOM = """
import sys
from pathlib import Path
from tests.models.backend_probe import train_without_room
try: train_without_room(sys.argv[1], Path(sys.argv[2]))
except OSError as error: print(error.strerror)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_checkpoint_without_room_is_an_error_and_no_crash(backend: BackendName, tmp_path: Path) -> None:
    # In a process of its own, to its end: HDF5 fails with many lines, and may crash when it closes the file.
    command = [sys.executable, "-c", WITHOUT_ROOM, backend, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "File too large", "")
