from pathlib import Path

import pytest

from experiments.files import read_json
from experiments.params import Params
from experiments.stages.sources import imported, write_sources
from tests.conftest import ROOT


@pytest.fixture
def written(tmp_path: Path, params: Params) -> dict[str, set[str]]:
    write_sources(ROOT, params.recipe("lenet"), tmp_path)
    return {backend: set(read_json(tmp_path / f"{backend}.json")) for backend in ("lightning", "keras")}


def test_a_training_stands_on_its_own_framework_s_code(written: dict[str, set[str]]) -> None:
    for backend, mine, other in (
        ("lightning", "models_torch", "models_tf"),
        ("keras", "models_tf", "models_torch"),
    ):
        files = written[backend]
        assert {f"{mine}/{name}.py" for name in ("backend", "model", "training", "lenet")} <= files
        assert not [file for file in files if file.startswith(other)]


def test_a_training_stands_on_what_it_imports_and_nothing_else(written: dict[str, set[str]]) -> None:
    files = written["lightning"]
    assert {"experiments/stages/train.py", "experiments/recorder.py", "experiments/randomness.py"} <= files
    assert not {"experiments/cli.py", "experiments/stages/compare.py", "experiments/stages/download.py"} & files
    # The list of architectures changes with every new one.
    assert "models_torch/__init__.py" not in files


def test_imports_are_followed_through_functions_and_packages(tmp_path: Path) -> None:
    package = tmp_path / "experiments"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "a.py").write_text("import os\ndef f():\n    from experiments.deep import b\n")
    (package / "deep" / "near.py").touch()
    (package / "deep" / "__init__.py").touch()
    (package / "deep" / "b.py").write_text("from experiments import c\nfrom .near import x\nfrom . import near\n")
    (package / "c.py").write_text("import experiments.a\n")  # a circle ends
    (package / "unused.py").touch()
    names = {str(path.relative_to(package)) for path in imported(tmp_path, ["experiments.a"])}
    assert names == {"__init__.py", "a.py", "deep/__init__.py", "deep/b.py", "deep/near.py", "c.py"}
