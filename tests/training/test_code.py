"""What retrains, and what doesn't."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.settings.params import Params
from experiments.stages.sources import write_sources
from experiments.system.files import read_json
from experiments.training.code import code_digest, code_of, imported_by
from tests.conftest import ROOT

SHARED = {
    *("experiments.contract.backend", "experiments.contract.model", "experiments.contract.model_settings"),
    *("experiments.contract.weights", "experiments.data.dataset"),
    *("experiments.data.randomness", "experiments.settings.recipe", "experiments.training.scoring"),
}


@pytest.mark.parametrize(
    ("backend", "mine", "other"), [("lightning", "models_torch", "models_tf"), ("keras", "models_tf", "models_torch")]
)
def test_a_training_depends_on_its_own_framework_s_code(backend: str, mine: str, other: str) -> None:
    modules = code_of(backend, "lenet")["modules"]  # type: ignore[arg-type]
    assert {f"{mine}.backend.{name}" for name in ("backend", "model", "training")} | {f"{mine}.lenet"} <= set(modules)
    assert not [module for module in modules if module.startswith(other)]
    assert f"{mine}.mlp" not in modules
    registries = {mine, "experiments.contract.inputs"}  # these lists change with every new architecture
    assert not registries & set(modules)


@pytest.mark.parametrize("backend", ["lightning", "keras"])
def test_a_training_depends_on_what_decides_its_bits_and_on_nothing_else(backend: str) -> None:
    modules = set(code_of(backend, "lenet")["modules"])  # type: ignore[arg-type]
    assert modules >= SHARED
    rooms = {".".join(module.split(".")[:2]) for module in modules if module.startswith("experiments.")}
    assert not rooms & {f"experiments.{name}" for name in ("cli", "stages", "sweep", "reports", "parity", "tracking")}
    assert not modules & {"experiments.system.console", "experiments.system.git", "experiments.system.progress"}
    assert "experiments.settings.params" not in modules


def test_a_training_depends_on_the_input_of_its_architecture() -> None:
    assert code_of("keras", "resnet101")["input"] == {"size": 224, "channels": 3, "classes": 1000}
    assert code_of("keras", "lenet")["input"] == {"size": None, "channels": None, "classes": None}


def test_imports_are_followed_through_modules_and_to_the_packages_around_them() -> None:
    modules = imported_by(("experiments.training.scoring",))
    assert {
        "experiments",
        "experiments.training",
        "experiments.contract.model",
        "experiments.data.randomness",
    } <= modules
    assert "experiments.training.recorder" not in modules


def test_a_version_is_part_of_the_digest(tmp_path: Path) -> None:
    fake = tmp_path / "torch-9.9.9.dist-info"
    fake.mkdir()
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.9.9\n")
    code = (
        "from experiments.training.code import *; print(code_digest('lightning', 'mlp'), code_digest('keras', 'mlp'))"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    torch, keras = done.stdout.split()
    assert torch != code_digest("lightning", "mlp")
    assert keras == code_digest("keras", "mlp")


def test_what_is_written_is_what_the_recipes_of_dvc_repro_depend_on(tmp_path: Path, params: Params) -> None:
    (tmp_path / "left").mkdir()
    write_sources(params, tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")) == [
        *("lenet/keras.json", "lenet/lightning.json", "lenet/parity.json")
    ]
    assert read_json(tmp_path / "lenet" / "keras.json") == code_of("keras", "lenet")
    assert not (tmp_path / "left").exists()
