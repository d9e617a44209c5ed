"""Enlarged images of three channels, and frozen layers: the same in both frameworks, in training and when saved."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from experiments.contract.backend import TrainingSettings
from experiments.contract.model import Model
from experiments.contract.model_settings import Precision, model_settings
from experiments.contract.weights import draw_weights
from experiments.data.dataset import Dataset, Images, Statistics
from experiments.data.enlarging import bilinear
from experiments.frameworks import PACKAGES, load_backend, load_inspection
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess
from experiments.training.initial import build_model
from tests.models import coloured
from tests.models.backend_probe import Interrupted, Recorder, data, expected, recipe

Arrays = dict[str, npt.NDArray[Any]]
NOISE = Dataset(Path("noise"), "noise", "", (28, 28, 1), 10, {"train": Statistics(0.5, 0.25)})
FROZEN = ["stem"]
SIZES = ((28, 64), (28, 41), (28, 28), (9, 20))


class Probe:
    def __init__(self, name: BackendName, folder: Path) -> None:
        self.backend, self.inspection = load_backend(name, device="cpu", threads=1), load_inspection(name)
        self.images, self.labels = data()
        self.folder = folder

    def model(self, settings: Recipe, precision: Precision = "float32") -> Model:
        model = self.backend.build(model_settings(settings, NOISE, precision))
        model.set_weights(draw_weights(model.parameters(), settings, seed=1))
        return model

    def train(self, settings: Recipe, stop_after: int | None = None) -> Arrays:
        model, recorder = self.model(settings), Recorder(stop_after)
        training = TrainingSettings(settings, 1, 3)
        file = self.folder / "last.weights.h5"
        self.backend.train(model, self.images, self.labels, training, checkpoint=file, listener=recorder)
        return {**model.get_weights(), "losses": np.concatenate(recorder.losses)}


def run(name: BackendName, folder: Path) -> dict[str, Arrays]:
    with coloured.registered():
        probe = Probe(name, folder)
        settings = recipe(architecture=coloured.NAME, scaling="imagenet", epochs=2, freeze=FROZEN)
        model = probe.model(settings, "float64")
        computed = probe.inspection.activations(model, probe.images[:3])
        _, gradients = probe.inspection.loss_and_gradients(model, probe.images, probe.labels)
        other = probe.model(settings.model_copy(update={"image_size": 28, "scaling": "standardised"}))
        small = probe.inspection.activations(other, probe.images[:1])
        start = probe.model(settings)
        start.save(folder)
        native = start.native_input(probe.images)
        saved: Arrays = {"input": native, "logits": start.predict(probe.images)}
        saved["loaded"] = loaded(name, folder, native)
        whole = probe.train(settings)
        (folder / "last.weights.h5").unlink()
        with expected(Interrupted):
            probe.train(settings, stop_after=1)
        resumed = probe.train(settings)
        trained = {parameter.name: np.array(parameter.trainable) for parameter in start.parameters()}
        counts = {layer.path: np.array(layer.parameters) for layer in probe.inspection.layers(start)}
        return {
            **{"activations": computed, "small": small, "gradients": gradients, "start": start.get_weights()},
            **{"trained": trained, "counts": counts, "whole": whole, "resumed": resumed},
            **{"saved": saved, "refused": refusals(probe), "enlarged": by_the_framework(name, probe.images[:2])},
        }


def loaded(name: BackendName, folder: Path, images: Images) -> Any:
    """Return the logits of a saved model for uint8 images of 28×28 pixels."""
    if name == "keras":
        import keras

        import models_tf.backend.saved  # noqa: F401 - a class of one's own must be registered before loading

        return keras.models.load_model(folder / "model.keras").predict(images, verbose=0)
    import torch

    with torch.no_grad():
        logits: Any = torch.export.load(folder / "model.pt2").module()(torch.from_numpy(images))
    return logits.numpy()


def refusals(probe: Probe) -> Arrays:
    messages = []
    for freeze in (["stem", "layer1"], ["ste"], ["stem", "body", "fc"]):
        with pytest.raises(TandemError) as caught:
            build_model(probe.backend, recipe(architecture=coloured.NAME, freeze=freeze), NOISE, seed=1)
        messages.append(str(caught.value))
    return {"messages": np.array(messages)}


def by_the_framework(name: BackendName, images: Images) -> Arrays:
    """Return images as the framework's own function enlarges them, which for TensorFlow is in float32 alone."""
    if name == "lightning":
        import torch

        inputs = torch.from_numpy(np.moveaxis(images, -1, 1).astype(np.float64))
        resize = torch.nn.functional.interpolate
        return {
            str(new): resize(inputs[:, :, :old, :old], size=(new, new), mode="bilinear").numpy() for old, new in SIZES
        }
    import tensorflow as tf

    pixels, enlarge = images.astype(np.float32), tf.image.resize
    return {str(new): enlarge(pixels[:, :old, :old], (new, new)).numpy().transpose(0, 3, 1, 2) for old, new in SIZES}


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Arrays]]:
    probed: dict[str, dict[str, Arrays]] = {}
    for backend in PACKAGES:
        with IsolatedProcess(backend) as process:
            probed[backend] = process.call(run, backend, tmp_path_factory.mktemp(backend))
    return probed


Probed = dict[str, dict[str, Arrays]]


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_a_matrix_enlarges_as_the_framework_s_own_function_does(probed: Probed, backend: str) -> None:
    images = data()[0][:2, ..., 0].astype(np.float64)
    precision = 1e-13 if backend == "lightning" else 1e-6
    for old, new in SIZES:
        matrix = bilinear(old, new)
        expected = probed[backend]["enlarged"][str(new)][:, 0]
        np.testing.assert_allclose(matrix @ images[:, :old, :old] @ matrix.T, expected, rtol=precision)


def test_the_network_gets_enlarged_images_of_three_channels(probed: Probed) -> None:
    a, b = (probed[backend]["activations"] for backend in PACKAGES)
    gradients = probed["keras"]["gradients"]
    assert a["input"].shape == (3, 3, coloured.SIZE, coloured.SIZE)
    matrix, pixels = bilinear(28, coloured.SIZE), data()[0][:3, ..., 0] / 255
    for channel, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        by_hand = matrix @ ((pixels - mean) / std) @ matrix.T
        np.testing.assert_allclose(a["input"][:, channel], by_hand, rtol=1e-11, atol=1e-11)
    for name, value in a.items():
        np.testing.assert_allclose(value, b[name], rtol=1e-11, atol=1e-11, err_msg=name)
    assert list(gradients) == [
        *("body/conv2/weight", "body/bn2/weight", "body/bn2/bias", "fc/weight", "fc/bias"),
    ]
    for name, value in probed["lightning"]["gradients"].items():
        np.testing.assert_allclose(value, gradients[name], rtol=1e-9, atol=1e-13, err_msg=name)


def test_a_recipe_may_have_another_size(probed: Probed) -> None:
    a, b = (probed[backend]["small"]["input"] for backend in PACKAGES)
    assert a.shape == b.shape == (1, 3, 28, 28)
    assert (a[:, 0] == a[:, 2]).all()
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_frozen_layers_and_their_statistics_stay_as_they_are(probed: Probed, backend: str) -> None:
    start, end = probed[backend]["start"], probed[backend]["whole"]
    frozen = [name for name in start if name.startswith("stem/")]
    assert len(frozen) == 5
    for name, value in start.items():
        assert np.array_equal(value, end[name]) == (name in frozen), name
    trained = probed[backend]["trained"]
    assert not any(trained[name] for name in frozen)
    assert [name for name in start if trained[name]] == list(probed["keras"]["gradients"])
    assert probed[backend]["counts"]["stem/conv1"] == 0
    assert probed[backend]["counts"]["body/conv2"] == 4 * 6 * 9


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_a_resumed_training_with_frozen_layers_has_the_same_bits(probed: Probed, backend: str) -> None:
    whole, resumed = probed[backend]["whole"], probed[backend]["resumed"]
    assert all(np.array_equal(whole[name], resumed[name]) for name in probed[backend]["start"])
    assert whole["losses"][-1] < whole["losses"][0]


def test_both_frameworks_train_the_rest_alike(probed: Probed) -> None:
    a, b = (probed[backend]["whole"]["losses"] for backend in PACKAGES)
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_a_saved_model_takes_the_dataset_s_images(probed: Probed, backend: str) -> None:
    saved = probed[backend]["saved"]
    assert saved["input"].dtype == np.uint8
    assert saved["input"].shape[1:] == ((1, 28, 28) if backend == "lightning" else (28, 28, 1))
    np.testing.assert_allclose(saved["loaded"], saved["logits"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_what_cannot_be_frozen_is_one_line(probed: Probed, backend: str) -> None:
    expected = "params.yaml: freeze of a recipe: expected some of the layers stem, relu1, pool1, body, relu2, avgpool, "
    expected += "flatten, fc, or of those inside of them, as in layer1/0; got "
    everything = "expected a layer that is trained; got stem, body, fc, which is all of them; shorten the list"
    messages = [f"{expected}'layer1'", f"{expected}'ste'", f"params.yaml: freeze of a recipe: {everything}"]
    assert probed[backend]["refused"]["messages"].tolist() == messages
