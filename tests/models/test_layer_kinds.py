"""Every known kind of layer: its start is the framework's, its random draws resume, and what has no twin is refused."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import models_torch
from experiments.contract.backend import Backend
from experiments.contract.examples import architecture_of, examples_of
from experiments.contract.initial import Distribution
from experiments.contract.model import Model
from experiments.contract.model_settings import ModelSettings
from experiments.contract.weights import FloatArray, Weights
from experiments.frameworks import PACKAGES, load_backend
from experiments.parity.shapes import settings_of
from experiments.settings.recipe import BackendName
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess
from tests.models.backend_probe import Interrupted, Probe, expected, recipe
from tests.parity.planted_layers import other_example

DRAWS = 3
Processes = dict[BackendName, IsolatedProcess]
Drawn = dict[str, tuple[Distribution, list[FloatArray]]]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with IsolatedProcess("lightning") as first, IsolatedProcess("keras") as second:
        yield {"lightning": first, "keras": second}


@cache
def loaded(name: BackendName) -> Backend[Model]:
    return load_backend(name, device="cpu", threads=1)


def freshly_built(name: BackendName) -> Drawn:
    """Return, for each array of each layer, its distribution, and what the framework itself drew."""
    backend, drawn = loaded(name), Drawn()
    if name == "lightning":
        import torch

        torch.manual_seed(0)
    for layer in examples_of(PACKAGES[name]):
        for draw in range(DRAWS):
            model = backend.build(settings_of(architecture_of(layer)))
            own = [parameter for parameter in model.parameters() if parameter.name.startswith("layer/")]
            if not own:
                break
            weights = model.get_weights()
            for one in own:
                start = one.torch if name == "lightning" else one.keras
                _, arrays = drawn.setdefault(f"{layer}: {one.name}", (start, []))
                arrays.append(weights[one.name])
                assert len(arrays) == draw + 1
    return drawn


def is_drawn_from(start: Distribution, arrays: list[FloatArray]) -> bool:
    """Return whether arrays look as a distribution makes them; of the seeds above, they always do or never."""
    if start.rule == "constant":
        return all(np.array_equal(array, start.draw(array.shape, np.random.default_rng())) for array in arrays)
    if start.rule == "orthogonal":
        return all(np.allclose(array.T @ array, np.eye(array.shape[1]), atol=1e-5) for array in arrays)
    values = np.concatenate([array.ravel() for array in arrays])
    if start.rule == "normal":
        return bool(abs(values.std() / start.scale - 1) < 4 / math.sqrt(2 * values.size))
    # The largest of n draws is below q of the bound with probability qⁿ.
    least = 0.001 ** (1 / values.size) * start.scale
    return bool(least <= np.abs(values).max() <= start.scale * (1 + 1e-6))


@pytest.mark.parametrize("name", list(PACKAGES))
def test_the_starts_are_those_of_the_framework(processes: Processes, name: BackendName) -> None:
    drawn = processes[name].call(freshly_built, name)
    assert {start.rule for start, _ in drawn.values()} >= {"uniform", "glorot uniform", "constant"}
    wrong = [
        f"{array}: {start}, largest {max(np.abs(one).max() for one in arrays):.4f}"
        for array, (start, arrays) in drawn.items()
        if not is_drawn_from(start, arrays)
    ]
    assert wrong == []


def kinds(name: BackendName) -> tuple[set[str], set[str]]:
    """Return the kinds that the inspection of a framework knows, and those in the networks of its examples."""
    inspection: Any = import_module(f"{PACKAGES[name]}.backend.inspection")
    known: Any = import_module(f"{PACKAGES[name]}.backend.kinds")
    backend, shown = loaded(name), set()
    for layer in examples_of(PACKAGES[name]):
        shown |= {one.kind for one in inspection.layers(backend.build(settings_of(architecture_of(layer))))}
    return {*known.KINDS.values(), *getattr(known, "ACTIVATIONS", {}).values()}, shown


def test_every_kind_that_the_inspection_knows_has_an_example(processes: Processes) -> None:
    known, shown = processes["lightning"].call(kinds, "lightning")
    assert known <= shown


def uninterrupted_and_resumed(name: BackendName, layer: str, folder: Path) -> list[Weights]:
    """Return the weights after a training, without dropout, and after one that was stopped and resumed."""
    probe, checkpoint = Probe(name, folder), folder / "last.weights.h5"
    changes = {"architecture": architecture_of(layer), "dropout": 0.4}
    settings = recipe(epochs=2).model_copy(update=changes)
    end, plain = (probe.train(settings.model_copy(update={"dropout": rate}))[0].get_weights() for rate in (0.4, 0.0))
    with expected(Interrupted):
        probe.train(settings, checkpoint=checkpoint, stop_after=1)
    return [end, plain, probe.train(settings, checkpoint=checkpoint)[0].get_weights()]


@pytest.mark.parametrize("layer", ["channel-dropout-2d", "alpha-dropout"])
@pytest.mark.parametrize("name", list(PACKAGES))
def test_random_draws_resume_with_the_same_bits(
    processes: Processes, name: BackendName, layer: str, tmp_path: Path
) -> None:
    end, plain, resumed = processes[name].call(uninterrupted_and_resumed, name, layer, tmp_path)
    assert all(np.array_equal(end[array], resumed[array]) for array in end)
    assert any((end[array] != plain[array]).any() for array in end)


def saved_and_loaded(layer: str, folder: Path) -> tuple[FloatArray, FloatArray]:
    """Return the logits of a new Keras model, and those of the same one after it was saved and loaded."""
    import keras

    model: Any = loaded("keras").build(settings_of(architecture_of(layer)))
    images = np.random.default_rng(1).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    model.save(folder)
    again = keras.models.load_model(folder / "model.keras")
    return model.predict(images), again.predict(model.native_input(images), verbose=0)


@pytest.mark.parametrize("layer", ["gelu-tanh", "leaky-relu", "convolution-strided"])
def test_a_layer_of_tandem_is_saved_with_its_settings(processes: Processes, layer: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(*processes["keras"].call(saved_and_loaded, layer, tmp_path))


def torch_attention(**options: Any) -> Any:
    from torch import nn

    return nn.MultiheadAttention(8, 2, **options)


def keras_layer(kind: str, *args: Any, **options: Any) -> Any:
    from keras import layers

    return getattr(layers, kind)(*args, **options)


def refused(name: BackendName, layer: str, make: Callable[[], Any]) -> str:
    """Build an example with another layer, and return why it is refused."""
    examples: Any = import_module(f"{PACKAGES[name]}.layer_examples")

    def made(*rate: float) -> Any:
        if layer != "attention":
            return make()
        return examples.OfItself(make()) if name == "lightning" else examples.of_itself(make(), (28, 8))

    with other_example(name, layer, lambda: made):
        try:
            loaded(name).build(settings_of(architecture_of(layer)))
        except TandemError as error:
            return str(error)
    return "nothing was refused"


ATTENTION = {"num_heads": 2, "key_dim": 4}
REFUSED: list[tuple[BackendName, str, Callable[[], Any], str]] = [
    (
        "lightning",
        "attention",
        partial(torch_attention, **{"batch_first": True, "dropout": 0.1}),
        "layer layer/inner (nn.MultiheadAttention): expected no dropout of its weights, which parity can't test; got "
        "0.1; put a dropout layer after it (docs/layers.md)",
    ),
    (
        "lightning",
        "attention",
        partial(torch_attention),
        "layer layer/inner (nn.MultiheadAttention): expected batch_first=True, as in Keras; got False; set it",
    ),
    (
        "keras",
        "attention",
        partial(keras_layer, "MultiHeadAttention", **{**ATTENTION, "dropout": 0.1}),
        "layer layer/inner (MultiHeadAttention): expected no dropout of its weights, which parity can't test; got 0.1",
    ),
    (
        "keras",
        "attention",
        partial(keras_layer, "MultiHeadAttention", **{**ATTENTION, "use_gate": True}),
        "layer layer/inner (MultiHeadAttention): expected parameters and state of a known kind of layer; got bias",
    ),
    (
        "keras",
        "lstm",
        partial(keras_layer, "LSTM", 6, **{"recurrent_dropout": 0.2}),
        "layer layer (LSTM): expected no dropout inside, which parity can't test; got 0.2; put a dropout layer",
    ),
    (
        "keras",
        "gru",
        partial(keras_layer, "GRU", 6, **{"reset_after": False}),
        "layer layer (GRU): expected reset_after=True, as in PyTorch; got reset_after=False; set it (docs/layers.md)",
    ),
    (
        "keras",
        "channel-dropout-1d",
        partial(keras_layer, "Dropout", 0.5, **{"noise_shape": (None, 1, None)}),
        "layer layer (Dropout): expected no noise_shape; got (None, 1, None); use SpatialDropout1D or SpatialDropout2D",
    ),
]


@pytest.mark.parametrize(("name", "layer", "make", "message"), REFUSED)
def test_a_setting_without_a_twin_is_refused_in_one_line(
    processes: Processes, name: BackendName, layer: str, make: Callable[[], Any], message: str
) -> None:
    found = processes[name].call(refused, name, layer, make)
    assert found.startswith(message)
    assert "\n" not in found


def own_lstm(classes: int) -> Any:
    """PyTorch's LSTM, whose output is a tuple, where a tensor is expected: it must be refused before it runs."""
    from torch import nn

    from models_torch.layer_examples import Rows

    return nn.Sequential(OrderedDict(rows=Rows(), lstm=nn.LSTM(28, 8), output=nn.Linear(8, classes)))


def build_own_lstm() -> None:
    with patch.dict(models_torch.ARCHITECTURES, {"own-lstm": f"{__name__}:own_lstm"}):
        loaded("lightning").build(ModelSettings("own-lstm", (28, 28, 1), 10, None, 1.0, 0.0))


def test_the_lstm_of_pytorch_names_its_twin(processes: Processes) -> None:
    message = (
        r"^layer lstm \(nn\.LSTM\): expected models_torch\.backend\.recurrent\.LSTM, the twin of Keras's; got "
        r"PyTorch's own; use that one \(docs/layers\.md\)$"
    )
    with pytest.raises(TandemError, match=message):
        processes["lightning"].call(build_own_lstm)
