"""Models with state, made ones of the other framework and back; faults on the way leave nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.contract.backend import TrainingSettings
from experiments.contract.model_settings import model_settings
from experiments.contract.weights import Weights, draw_weights
from experiments.convert.convert import convert_saved
from experiments.convert.source import Source
from experiments.data.dataset import Dataset, load_dataset
from experiments.frameworks import PACKAGES
from experiments.parity.sides import Side, load_side, run_on_all
from experiments.reports.measured import Measured
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.errors import TandemError
from experiments.system.files import digest
from tests import normed
from tests.convert.planted import FaultyProcess
from tests.models.backend_probe import Recorder, recipe
from tests.parity.conftest import prepared as prepared

# With state, and with dropout, which the files have and the proof switches off.
RECIPES = {
    name: recipe(architecture=name, epochs=1, dropout=rate) for name, rate in ((normed.NAME, None), ("cnn3", 0.4))
}
STATE = [f"bn{number}/running_{kind}" for number in (1, 2) for kind in ("mean", "var")]


def train(side: Side, settings: Recipe, dataset: Dataset, folder: Path) -> Weights:
    """Train the network for a few steps, save it into a folder of its framework, and return its weights."""
    backend = load_side(side)[0]
    model = backend.build(model_settings(settings, dataset))
    model.set_weights(draw_weights(model.parameters(), settings, seed=1))
    split = dataset.split("train")
    training, images = TrainingSettings(settings, 1, log_every_steps=50), np.array(split.images[:320])
    backend.train(model, images, split.labels[:320], training, checkpoint=None, listener=Recorder())
    (folder / side.backend).mkdir(parents=True)
    model.save(folder / side.backend)
    return model.get_weights()


class Workshop:
    """Both frameworks' processes, and trained models of each."""

    def __init__(self, dataset: Dataset, folder: Path, processes: dict[Side, FaultyProcess]) -> None:
        self.dataset, self.folder, self.processes = dataset, folder, processes
        self.weights = {
            (backend, name): weights
            for name, settings in RECIPES.items()
            for backend, weights in run_on_all(processes, name, train, settings, dataset, folder / name).items()
        }

    def saved(self, backend: BackendName, name: str = normed.NAME) -> Path:
        return self.folder / name / backend

    def source(self, backend: BackendName, name: str = normed.NAME) -> Source:
        weights = digest(self.weights[backend, name])
        run = Measured(f"{name}-{backend}-1", f"runs/{name}/{backend}/1", "0" * 32, {}, {}, None, weights)
        return Source(run, RunKey(name, backend, 1), RECIPES[name], code_changed=False)

    def convert(self, source: Source, saved: Path, out: Path, fault: str = "") -> dict[str, Any]:
        """Convert a saved model into a new folder."""
        ordered = sorted(self.processes, key=lambda side: side.backend != source.key.backend)
        for process in self.processes.values():
            process.bug = fault
        return convert_saved({side: self.processes[side] for side in ordered}, source, self.dataset, saved, out)


@pytest.fixture(scope="module")
def workshop(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    first, second = (FaultyProcess(backend) for backend in PACKAGES)
    with first, second, normed.registered():
        processes = dict(zip(map(Side, PACKAGES), (first, second), strict=True))
        yield Workshop(load_dataset(prepared.prepared), tmp_path_factory.mktemp("workshop"), processes)


@pytest.mark.parametrize(
    ("name", "backend", "quantities"),
    [
        # The input and the output of each layer, the loss, the gradient of each parameter.
        (normed.NAME, "lightning", 1 + 7 + 1 + 5),
        (normed.NAME, "keras", 1 + 7 + 1 + 5),
        ("cnn3", "lightning", 1 + 14 + 1 + 10),
    ],
)
def test_a_model_comes_back_with_the_same_bits(
    workshop: Workshop, name: str, backend: BackendName, quantities: int, tmp_path: Path
) -> None:
    source = workshop.source(backend, name)
    there = workshop.convert(source, workshop.saved(backend, name), tmp_path / "there")
    key = replace(source.key, backend=there["to"])
    back = workshop.convert(replace(source, key=key), tmp_path / "there" / "model", tmp_path / "back")
    assert (there["from"], back["to"], back["weights"]) == (backend, backend, source.run.final_weights)
    for content in (there, back):
        images = content["test_images"]
        assert images["alike"] == images["images"] == 297
        assert 0 < images["largest_logit_difference"] < 1e-4
        for precision, largest in (("float64", 1e-12), ("float32", 1e-3)):
            compared = content["compared"][precision]
            assert compared["quantities"] == quantities
            assert 0 <= compared["difference"] <= compared["bound"] < largest


def test_state_is_trained_and_goes_over(workshop: Workshop) -> None:
    weights = workshop.weights["lightning", normed.NAME]
    assert [name for name in weights if "running" in name] == STATE
    assert all((weights[name] != (1 if name.endswith("var") else 0)).any() for name in STATE)


FAULTS = [
    ("another layer", "keras", r"got weights of bn1/bias: lightning returns them .* away, in float64; nothing was"),
    ("variance dropped", "lightning", r"got weights of bn2/running_var: keras returns them .* away, in float64"),
    ("saved otherwise", "keras", r"got weights of output/bias: lightning returns them 1.*e-07 away, in float64"),
    ("flatten order", "lightning", r"got float64: activation of bn2: .* apart, where .* is rounding"),
    ("low precision", "keras", r"got float32: activation of output: .* apart, where .* is rounding"),
    ("sum for mean", "keras", r"got float64: loss: .* apart, where .* is rounding"),
    ("another epsilon in the file", "lightning", r"got keras can't run normed: ValueError: the network in model.keras"),
]


@pytest.mark.parametrize(("fault", "backend", "place"), FAULTS)
def test_a_fault_on_the_way_is_found_where_it_is(
    workshop: Workshop, fault: str, backend: BackendName, place: str, tmp_path: Path
) -> None:
    with pytest.raises(TandemError, match=place) as refused:
        workshop.convert(workshop.source(backend), workshop.saved(backend), tmp_path / "out", fault)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", list(PACKAGES))
def test_a_damaged_file_and_that_of_another_run_are_refused(
    workshop: Workshop, backend: BackendName, tmp_path: Path
) -> None:
    source, (file,) = workshop.source(backend), (workshop.saved(backend)).iterdir()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / file.name).write_bytes(file.read_bytes()[:1000])
    with pytest.raises(TandemError, match=r"expected a saved model that fits normed; got \w+: .*; train it again"):
        workshop.convert(source, tmp_path / "saved", tmp_path / "out")
    other = replace(source, run=replace(source.run, final_weights="0" * 64))
    with pytest.raises(TandemError, match=r"expected saved weights of digest 0{12}, as recorded; got .*another run's"):
        workshop.convert(other, workshop.saved(backend), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
