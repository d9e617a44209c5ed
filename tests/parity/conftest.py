"""The stand-in dataset, prepared once: parity needs images of digits, not noise."""

from pathlib import Path

import pytest

from experiments.data.digits import write_digits
from experiments.settings.params import load_params
from experiments.settings.project import Project
from experiments.stages.preprocess import preprocess
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("parity")
    write_digits(folder / "data")
    preprocess(load_params(ROOT / "params.yaml").preprocess, folder / "data", folder / "prepared")
    return Project(root=folder, home=folder)


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")
