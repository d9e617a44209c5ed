"""Completion at a real bash's prompt: values, speed, silence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.settings.params import Params
from experiments.settings.project import Project
from tests.cli.test_main import HEAVY
from tests.conftest import ROOT
from tests.reports.recorded import recorded, write

# As a shell calls it. The program's name makes the variable's.
COMPLETE = "import sys; sys.argv[:] = ['tandem']\nfrom experiments.cli.main import main\n"


def complete(folder: Path, *words: str, code: str = COMPLETE + "main()") -> list[str]:
    """Return what is offered for the last of the words, and all that is printed besides."""
    line = {"COMP_WORDS": " ".join(("tandem", *words)), "COMP_CWORD": str(len(words))}
    environment = {**os.environ, **line, "_TANDEM_COMPLETE": "complete_bash", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


def test_values_are_those_of_the_project(project: Project, params: Params) -> None:
    write(project, recorded(params, "keras"))
    project.sweep("cnn3-sgd-both").mkdir(parents=True)
    project.sweep("check-local").mkdir(parents=True)
    (project.exported / "lenet-keras-12" / "onnx").mkdir(parents=True)
    assert complete(project.root, "train", "le") == ["lenet"]
    assert complete(project.root, "train", "lenet", "") == ["lightning", "keras"]
    assert complete(project.root, "sweep", "run", "--recipe", "cnn3") == ["cnn3", "cnn3-sgd"]
    assert complete(project.root, "sweep", "run", "--backend", "b") == ["both"]
    assert complete(project.root, "sweep", "report", "") == ["cnn3-sgd-both"]
    assert complete(project.root, "shapes", "cnn3-") == ["cnn3-functional", "cnn3-subclassed"]
    assert complete(project.root, "ops", "argmax") == ["argmax", "argmax-axis", "argmax-empty", "argmax-nan"]
    assert complete(project.root, "compare", "") == ["lenet-keras-12", "runs/lenet/keras/12"]
    assert complete(project.root, "compare", "lenet-keras-12", "runs/") == ["runs/lenet/keras/12"]
    assert complete(project.root, "predict", "") == [
        *("lenet-keras-12", "runs/lenet/keras/12", "exported/lenet-keras-12/onnx")
    ]


@pytest.mark.parametrize("broken", ["no project", "broken settings"])
def test_where_there_is_nothing_to_offer_nothing_is_said(tmp_path: Path, project: Project, broken: str) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    project.params.write_text("recipes: [")
    for words in (("train", ""), ("compare", ""), ("sweep", "report", "")):
        assert complete(Path("/") if broken == "no project" else project.root, *words) == []


def test_completion_imports_nothing_heavy(project: Project) -> None:
    code = COMPLETE + "try: main()\nfinally: print(*sorted({name.split('.')[0] for name in sys.modules}))"
    for words in (("train", ""), ("compare", ""), ("shapes", ""), ("ops", "")):
        loaded = set(complete(project.root, *words, code=code))
        assert "typer" in loaded
        assert not loaded & (HEAVY | {"optuna", "scipy", "sqlalchemy", "rich"}), words


def test_bash_completes(project: Project) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = (
        'eval "$(_TANDEM_COMPLETE=source_bash tandem)"; COMP_WORDS=(tandem train le); COMP_CWORD=2\n'
        '_tandem_completion tandem; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.root, env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("lenet\n", "")
