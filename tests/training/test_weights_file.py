"""A file of weights under torchvision's names starts both frameworks alike; any other file is refused in one line."""

import hashlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from experiments.contract.initial import constant
from experiments.contract.weights import Parameter, Weights
from experiments.data.dataset import Dataset, Statistics
from experiments.frameworks import load_backend
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess
from experiments.training.initial import build_model, new_output, start_from
from experiments.training.weights_file import read_weights

NOISE = Dataset(Path("noise"), "noise", "", (28, 28, 1), 10, {"train": Statistics(0.5, 0.25)})
IMAGES = np.random.default_rng(3).integers(0, 256, (2, 28, 28, 1)).astype(np.uint8)


def recipe(**settings: Any) -> Recipe:
    base = {"architecture": "resnet101", "image_size": 32, "scaling": "imagenet", "batch_size": 4, "epochs": 1}
    return Recipe.model_validate({**base, "optimiser": "sgd", "lr": 0.01, "momentum": 0.9, **settings})


def names_of_torchvision() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of torchvision's resnet101, as its code (models/resnet.py) and the paper have them."""
    yield "conv1.weight", (64, 3, 7, 7)
    yield from normalisation("bn1", 64)
    channels = 64
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (23, 256), (3, 512)), 1):
        for block in range(blocks):
            path = f"layer{stage}.{block}"
            shapes = (width, channels, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)
            for number, shape in enumerate(shapes, 1):
                yield f"{path}.conv{number}.weight", shape
                yield from normalisation(f"{path}.bn{number}", shape[0])
            if block == 0:
                yield f"{path}.downsample.0.weight", (4 * width, channels, 1, 1)
                yield from normalisation(f"{path}.downsample.1", 4 * width)
            channels = 4 * width
    yield from (("fc.weight", (1000, 2048)), ("fc.bias", (1000,)))


def normalisation(path: str, features: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from ((f"{path}.{name}", (features,)) for name in ("weight", "bias", "running_mean", "running_var"))
    yield f"{path}.num_batches_tracked", ()


def write_like_torchvision(folder: Path) -> str:
    """Write such a file with random weights, one that is no state dict, and return the first one's SHA-256."""
    import torch

    torch.manual_seed(1)
    content = {}
    for name, shape in names_of_torchvision():
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "downsample.1.weight")):
            content[name] = 0.5 + torch.rand(shape)
        elif not shape:
            content[name] = torch.tensor(7)
        else:
            content[name] = torch.randn(shape) * (2 / math.prod(shape[1:])) ** 0.5
    torch.save(content, folder / "published.pth")
    torch.save([1, 2], folder / "list.pth")
    return hashlib.sha256((folder / "published.pth").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def lightning() -> Iterator[IsolatedProcess]:
    with IsolatedProcess("lightning") as process:
        yield process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, lightning: IsolatedProcess) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    (folder / "digest").write_text(lightning.call(write_like_torchvision, folder))
    return folder


def started(name: BackendName, settings: Recipe, file: Path) -> Weights:
    """Return the logits of a model that starts from a file, those for 10 classes and for 1000, and some weights."""
    backend = load_backend(name, device="cpu", threads=1)
    with np.load(file) as arrays:
        given = dict(arrays)
    model = build_model(backend, settings, NOISE, seed=1, given=given)
    weights = model.get_weights()
    assert all(np.array_equal(weights[key], given[key]) for key in given if not key.startswith("fc/"))
    assert list(weights) == [key.replace(".", "/") for key, shape in names_of_torchvision() if shape]
    assert new_output(given, model.parameters()) == "fc"
    assert ("torch" in sys.modules) == (name == "lightning")
    return {"logits": model.predict(IMAGES), "fc": weights["fc/weight"]}


def test_a_file_with_torchvision_s_names_starts_both_frameworks_alike(folder: Path, lightning: IsolatedProcess) -> None:
    settings = recipe(weights="published.pth", weights_sha256=(folder / "digest").read_text()[:8])
    given = read_weights("tuned", settings, folder)
    assert given is not None
    trained = [array.size for name, array in given.items() if "running" not in name]
    assert sum(trained) == 44_549_160
    np.savez(folder / "given.npz", **cast(dict[str, Any], given))
    a = lightning.call(started, "lightning", settings, folder / "given.npz")
    with IsolatedProcess("keras") as keras:
        b = keras.call(started, "keras", settings, folder / "given.npz")
    np.testing.assert_array_equal(a["fc"], b["fc"])  # as NumPy has drawn it: the file has 1000 classes
    assert a["logits"].shape == (2, 10)
    scale = np.abs(a["logits"]).max()
    assert np.abs(a["logits"][0] - a["logits"][1]).max() > 0.01 * scale
    np.testing.assert_allclose(a["logits"], b["logits"], rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize(
    ("file", "digest", "message"),
    [
        ("none.pth", "0" * 8, "expected a file; got .*none.pth: No such file or directory; download the file, or"),
        (
            "published.pth",
            "0" * 8,
            "to have a SHA-256 that begins with 00000000; got [0-9a-f]{64}; download the file again, or correct",
        ),
        ("list.pth", None, "expected a state dict of PyTorch .*; got ValueError: no mapping of names to tensors; name"),
        ("digest", None, "expected a state dict of PyTorch .*; got UnpicklingError: .*; name another file"),
    ],
)
def test_a_file_that_is_not_what_was_meant_is_one_line(
    folder: Path, file: str, digest: str | None, message: str
) -> None:
    digest = digest or hashlib.sha256((folder / file).read_bytes()).hexdigest()
    with pytest.raises(TandemError, match=rf"^params\.yaml: recipes\.tuned\.weights: .*{message}") as caught:
        read_weights("tuned", recipe(weights=file, weights_sha256=digest), folder)
    assert "\n" not in str(caught.value)


def save_small(folder: Path) -> Weights:
    """Save a model as a training does, and return what its network has."""
    own = Recipe.model_validate(
        {**recipe().model_dump(), "architecture": "resnet20", "image_size": None, "scaling": "unit"}
    )
    backend = load_backend("lightning", device="cpu", threads=1)
    model = build_model(backend, own, NOISE, seed=1)
    model.save(folder)
    return model.get_weights()


def test_a_model_of_one_s_own_is_such_a_file(lightning: IsolatedProcess, tmp_path: Path) -> None:
    weights = lightning.call(save_small, tmp_path)
    digest = hashlib.sha256((tmp_path / "model.pt2").read_bytes()).hexdigest()
    found = read_weights("tuned", recipe(weights="model.pt2", weights_sha256=digest), tmp_path)
    assert found is not None
    assert found.keys() == weights.keys()
    assert all(np.array_equal(found[name], array) for name, array in weights.items())


SHAPES = {"conv1/weight": (2, 1, 3, 3), "bn1/running_mean": (2,), "fc/weight": (10, 2), "fc/bias": (10,)}
PARAMETERS = [Parameter(name, shape, constant(0.0), constant(0.0)) for name, shape in SHAPES.items()]


def arrays(value: float, **changes: tuple[int, ...] | None) -> Weights:
    shapes = {**SHAPES, **{name.replace("_", "/", 1): shape for name, shape in changes.items()}}
    return {name: np.full(shape, value, np.float32) for name, shape in shapes.items() if shape is not None}


def test_an_output_layer_for_other_classes_stays_as_drawn() -> None:
    drawn = arrays(0)
    started = start_from(arrays(1, fc_weight=(5, 2), fc_bias=(5,)), drawn, PARAMETERS)
    assert {name: float(value.mean()) for name, value in started.items()} == {
        **{"conv1/weight": 1.0, "bn1/running_mean": 1.0, "fc/weight": 0.0, "fc/bias": 0.0}
    }
    assert {float(value.mean()) for value in start_from(arrays(1), drawn, PARAMETERS).values()} == {1.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conv1_weight": None}, r"conv1/weight: expected 2×1×3×3; got no such array in the file"),
        ({"conv1_weight": (2, 3, 3, 3)}, r"conv1/weight: expected 2×1×3×3; got 2×3×3×3 in the file"),
        ({"bn1_running_mean": None, "fc_bias": None}, r"bn1/running_mean: expected 2; got no such array in the file"),
        ({"extra_weight": (1,)}, r"extra/weight: expected no such array; got 1 in the file"),
        ({"fc_weight": (5, 3), "fc_bias": (5,)}, r"fc/weight: expected 10×2; got 5×3 in the file"),
        ({"fc_bias": None}, r"fc/bias: expected 10; got no such array in the file"),
    ],
)
def test_weights_of_another_network_are_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TandemError, match=f"^params.yaml: weights of a recipe: {message}; name a file with"):
        start_from(arrays(1, **changes), arrays(0), PARAMETERS)
