"""State that isn't trained, such as running means: it is drawn, kept, resumed and saved as parameters are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.contract.weights import Weights
from experiments.frameworks import PACKAGES
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess
from tests import normed
from tests.models.backend_probe import Interrupted, Probe, expected, load_keras, load_torch, recipe

STATISTICS = [f"bn{number}/running_{kind}" for number in (1, 2) for kind in ("mean", "var")]


def uninterrupted_and_resumed(name: BackendName, folder: Path) -> list[Weights]:
    """Return the weights at the start, at the end, and at the end of a training that was stopped; save the last."""
    with normed.registered():
        probe, settings = Probe(name, folder), recipe(architecture=normed.NAME)
        checkpoint = folder / "last.weights.h5"
        start, end = probe.model(settings), probe.train(settings)[0].get_weights()
        with expected(Interrupted):
            probe.train(settings, checkpoint=checkpoint, stop_after=1)
        resumed, _ = probe.train(settings, checkpoint=checkpoint)
        np.save(folder / "input.npy", resumed.native_input(probe.images))
        np.save(folder / "logits.npy", resumed.predict(probe.images))
        resumed.save(folder)
        return [start.get_weights(), end, resumed.get_weights()]


def load(name: BackendName, folder: Path) -> Any:
    with normed.registered():
        if name == "lightning":
            return load_torch(folder, normed.NAME)
        import models_tf.backend.normalisation  # noqa: F401 - a class of one's own must be registered before loading

        return load_keras(folder, normed.NAME)


@pytest.fixture(scope="module")
def others() -> Iterator[dict[str, IsolatedProcess]]:
    """A process for each backend, which has trained nothing; TensorFlow is set up before it is used, or not at all."""
    with IsolatedProcess("lightning") as first, IsolatedProcess("keras") as second:
        yield {"lightning": first, "keras": second}


def build_with_an_unknown_layer(name: BackendName, folder: Path) -> None:
    with normed.registered():
        Probe(name, folder).model(recipe(architecture=normed.UNKNOWN))


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_a_layer_with_unknown_arrays_is_refused_in_one_line(
    others: dict[str, IsolatedProcess], backend: BackendName, tmp_path: Path
) -> None:
    message = r"^layer lines \((nn\.)?Conv1\w\): expected parameters and state of .*; got .*; use a known kind"
    with pytest.raises(TandemError, match=message):
        others[backend].call(build_with_an_unknown_layer, backend, tmp_path)


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_state_is_kept_resumed_and_saved(
    others: dict[str, IsolatedProcess], backend: BackendName, tmp_path: Path
) -> None:
    with IsolatedProcess(backend) as process:
        start, end, resumed = process.call(uninterrupted_and_resumed, backend, tmp_path)
    assert [name for name in start if "running" in name] == STATISTICS
    for name in STATISTICS:
        assert (start[name] == (1 if name.endswith("var") else 0)).all()
        assert (start[name] != end[name]).any()
    assert list(end) == list(resumed)
    assert all(np.array_equal(end[name], resumed[name]) for name in end)
    logits = others[backend].call(load, backend, tmp_path)
    np.testing.assert_allclose(logits, np.load(tmp_path / "logits.npy"), atol=1e-5)
