"""Networks that take larger images than the dataset's: `make heavy`."""

import pytest

from experiments.contract.inputs import input_of
from experiments.data.dataset import load_dataset
from experiments.frameworks import twins
from experiments.parity.run import run_parity
from experiments.settings.params import load_params
from experiments.settings.project import Project
from tests.conftest import ROOT


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("architecture", [name for name in twins() if input_of(name).size is not None])
def test_large_twins_are_the_same_model(prepared: Project, architecture: str) -> None:
    params = load_params(ROOT / "params.yaml")
    (result,) = run_parity(load_dataset(prepared.prepared), params, [architecture], ("lightning", "keras"))
    assert result.problems == []
    assert [len(training.steps) for training in result.trainings] == [5, 5, 5, 5]
