"""Architectures that can't be built are one line, from every command; those that can are built once."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import pytest

from experiments.contract.model_settings import ModelSettings
from experiments.contract.run_log import RunLog
from experiments.contract.sizes import wrong_output
from experiments.data.dataset import ImageShape, load_dataset
from experiments.frameworks import ARCHITECTURES, PACKAGES
from experiments.parity import builds
from experiments.parity.check import check_structure
from experiments.parity.jobs import describe
from experiments.parity.shapes import settings_of
from experiments.parity.sides import Side, load_side, run_on_all
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.errors import TandemError
from experiments.system.files import read_json
from experiments.system.git import Checkout
from experiments.system.isolated import IsolatedProcess
from experiments.training.buildable import check_build
from experiments.training.checkpoint import State
from experiments.training.session import open_session
from experiments.training.training import Code, Training
from tests.broken import FAULTS
from tests.conftest import ROOT, Change
from tests.models.backend_probe import recipe

R = TypeVar("R")
Processes = Mapping[Side, IsolatedProcess]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Modules with a fault each, which processes that start from here on can import."""
    folder = tmp_path_factory.mktemp("broken")
    for kind, fault in FAULTS.items():
        for backend in PACKAGES:
            (folder / f"{kind}_{backend}.py").write_text(fault.file(backend))
    with patch.object(sys, "path", [*sys.path, str(folder)]):
        yield folder


@pytest.fixture(scope="module")
def processes(files: Path) -> Iterator[Processes]:
    first, second = (IsolatedProcess(backend) for backend in PACKAGES)
    with first, second:
        yield dict(zip(map(Side, PACKAGES), (first, second), strict=True))


def settings(kind: str) -> ModelSettings:
    return ModelSettings(kind, (28, 28, 1), 10, None, scale=1 / 255, offset=0.0)


def with_faults(side: Side, job: Callable[[Side], R]) -> R:
    """Run a job in a process that knows the architectures with a fault."""
    with patch.dict(ARCHITECTURES[side.backend], {kind: f"{kind}_{side.backend}:build" for kind in FAULTS}):
        return job(side)


def check(kind: str, side: Side) -> None:
    check_build(side.backend, settings(kind), load_side(side)[0])


def shapes_or_parity(kind: str, side: Side) -> None:
    describe(side, settings(kind))


def check_these(side: Side, built: ModelSettings) -> None:
    check_build(side.backend, built, load_side(side)[0])


def train(kind: str, project: Project, side: Side) -> None:
    def open_run(state: State | None) -> AbstractContextManager[RunLog]:
        raise AssertionError("a run was opened")

    dataset, key = load_dataset(project.prepared), RunKey(kind, side.backend, 1)
    training = Training(
        key, recipe(architecture=kind), dataset, Code(Checkout("", "", dirty=False), ""), 1, 1, project.home
    )
    with open_session(project.root / "none", training, load_side(side)[0], open_run):
        raise AssertionError("a training began")


@pytest.mark.parametrize("kind", list(FAULTS))
@pytest.mark.parametrize("side", [Side(backend) for backend in PACKAGES], ids=list(PACKAGES))
def test_what_can_not_be_built_is_the_same_line_for_every_command(
    processes: Processes, files: Path, prepared: Project, side: Side, kind: str
) -> None:
    expected = re.compile(
        rf"{kind}: {re.escape(str(files))}/{kind}_{side.backend}\.py{FAULTS[kind].message(side.backend)}"
    )
    for job in (partial(check, kind), partial(shapes_or_parity, kind), partial(train, kind, prepared)):
        with pytest.raises(TandemError) as raised:
            processes[side].call(with_faults, side, job)
        line = str(raised.value)
        assert expected.match(line), line
        assert "\n" not in line
        assert "\x1b" not in line


@pytest.mark.parametrize("architecture", ["lenet", "cnn3-subclassed", "inception", "lstm", "vit", "resnet20"])
def test_an_architecture_takes_images_in_colour_of_another_size(processes: Processes, architecture: str) -> None:
    options = {"patch": 8} if architecture == "vit" else {}
    settings = settings_of(architecture, tuple(options.items()), ((40, 24, 3), 20))
    sides = run_on_all(processes, architecture, describe, settings)
    assert check_structure(sides) is None
    assert [wrong_output(architecture, side.layers) for side in sides.values()] == [None, None]


@pytest.mark.parametrize("side", [Side(backend) for backend in PACKAGES], ids=list(PACKAGES))
@pytest.mark.parametrize(
    ("architecture", "shape", "message"),
    [
        (
            "lenet",
            (8, 8, 1),
            r"lenet: models_\w+/lenet\.py.*(8, 8, 1|8×8×1).*; got (ValueError|RuntimeError: layer conv2)",
        ),
        (
            "vit",
            (32, 32, 3),
            "expected a size that images of 32×32 are whole patches of; got 7; set one of 2, 4",
        ),
    ],
)
def test_images_that_do_not_suit_an_architecture_are_one_line(
    processes: Processes, side: Side, architecture: str, shape: ImageShape, message: str
) -> None:
    with pytest.raises(TandemError, match=message) as raised:
        processes[side].call(check_these, side, settings_of(architecture, (), (shape, 10)))
    assert "\n" not in str(raised.value)


CHOOSES = """
from torch import nn

class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.output = nn.Linear(784, classes)

    def forward(self, images):
        bright = images.mean() > 0.5
        return self.output(1 - images.flatten(1) if bright else images.flatten(1))

build = Network
"""


def test_a_network_that_can_t_be_saved_is_refused_before_it_is_trained(processes: Processes, files: Path) -> None:
    (files / "chooses.py").write_text(CHOOSES)
    side = next(iter(processes))
    with pytest.raises(TandemError, match=r"expected a network that can be saved; got \w+: ") as refused:
        processes[side].call(_check_chooses, side)
    assert f"chooses: {files}/chooses.py, line 11: " in str(refused.value)
    assert "if bright else" in str(refused.value)
    assert "\n" not in str(refused.value)


def _check_chooses(side: Side) -> None:
    with patch.dict(ARCHITECTURES[side.backend], {"chooses": "chooses:build"}):
        check("chooses", side)


@pytest.fixture
def check_in_processes(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `tandem check` build in processes that have loaded the frameworks already."""

    def run_once(command: str, what: str, job: Callable[..., R], *args: object) -> dict[str, R]:
        return run_on_all(processes, what, job, *args)

    monkeypatch.setattr(builds, "run_once", run_once)


@pytest.mark.usefixtures("check_in_processes")
def test_what_is_fine_is_built_once(project: Project, params: Params, capsys: pytest.CaptureFixture[str]) -> None:
    def built(*recipes: str) -> str:
        builds.check_builds(
            project, params.model_copy(update={"recipes": {name: params.recipe(name) for name in recipes}})
        )
        return capsys.readouterr().err.partition(", each")[0]

    assert built("mlp") == "building mlp"
    assert built("mlp") == ""
    assert built("mlp", "conv5x5") == "building conv5x5"
    assert built("mlp", "conv5x5") == ""
    for damaged in ("", "[]", "{}", '{"built": 1}', '{"built": [{}]}'):
        project.builds.write_text(damaged)
        assert built("mlp") == "building mlp"
        assert built("mlp") == ""


@pytest.mark.usefixtures("check_in_processes")
def test_a_recipe_that_is_not_trained_need_not_suit_images_of_one_s_own(
    tmp_path: Path, params: Params, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "shape_and_classes", lambda data, prepared: ((32, 32, 3), 20))
    recipes = {name: params.recipe(name) for name in ("mlp", "vit")}

    def check(trained: str) -> str:
        train = params.train.model_copy(update={"recipes": (trained,)})
        builds.check_builds(Project(tmp_path, tmp_path), params.model_copy(update={"recipes": recipes, "train": train}))
        return capsys.readouterr().err

    said = check("mlp")
    assert re.search("^not for these images: vit: .*whole patches", said, re.MULTILINE)
    assert check("mlp") == said.partition("\n")[2]  # nothing is built again
    with pytest.raises(TandemError, match=r"^vit: .*whole patches"):
        check("vit")


def test_the_command_says_one_line_and_remembers_the_rest(
    tmp_path: Path, write_params: Callable[[Change], Path]
) -> None:
    for package in ("experiments", *PACKAGES.values()):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    write_params(lambda content: content.update(recipes={"lenet": content["recipes"]["lenet"]}))
    (tmp_path / "dvc.yaml").touch()
    broken = tmp_path / "models_tf" / "lenet.py"
    broken.write_text(broken.read_text().replace("layers.Conv2D(20", "layers.Conv2d(20"))
    command = [sys.executable, "-m", "experiments", "check"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == TandemError.exit_code
    building, line = done.stderr.splitlines()
    assert building.startswith("building lenet, each framework in a process of its own")
    assert re.match(
        r"tandem: lenet: models_tf/lenet\.py, line 15: expected a network .* \(did you mean 'Conv2D'\?\); ", line
    )
    assert list(read_json(tmp_path / ".tandem" / "builds.json")["built"].values()) == [""]  # PyTorch's
