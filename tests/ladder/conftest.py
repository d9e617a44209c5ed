"""One run of `tandem ladder`, which takes most of a minute, for all tests of this folder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

COMMAND = "from experiments.cli.main import main; main()"
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Ladder:
    """What the command has printed with --json, and the file that it has written."""

    printed: dict[str, Any]
    file: Path


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory, settings_file: Path) -> Path:
    """A project with neither data nor runs."""
    made = tmp_path_factory.mktemp("ladder")
    (made / "params.yaml").write_bytes(settings_file.read_bytes())
    (made / "dvc.yaml").touch()
    return made


@pytest.fixture(scope="package")
def tandem(folder: Path) -> Callable[..., Done]:
    """Run the command with some words in that project, 80 columns wide."""

    def run(*words: str, code: str = COMMAND) -> Done:
        # A rung that a test has written is in the project's folder.
        environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
        command = [sys.executable, "-c", code, "ladder", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="package")
def ladder(tandem: Callable[..., Done], folder: Path) -> Ladder:
    """Run every rung."""
    done = tandem("--json")
    assert done.returncode == 0, done.stderr
    return Ladder(json.loads(done.stdout), folder / "reports" / "ladder.json")
