"""A training under a cluster's scheduler is the same training: Lightning must not take its settings from outside."""

from pathlib import Path

import numpy as np
import pytest

from experiments.contract.weights import Weights
from experiments.system.isolated import IsolatedProcess
from tests.models.backend_probe import Probe, recipe

SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NAME": "worker",
    "SLURM_PROCID": "2",
    "SLURM_LOCALID": "2",
    "SLURM_NODEID": "1",
    "SLURM_NODELIST": "node[1-4]",
    "SLURM_NNODES": "4",
    "LOCAL_RANK": "2",
    "NODE_RANK": "1",
}


def final_weights(folder: Path, checkpoint: Path | None = None, lr: float = 0.02) -> Weights:
    model, recorder = Probe("lightning", folder).train(recipe(lr=lr), checkpoint=checkpoint)
    assert recorder.epochs == [1, 2, 3]
    return model.get_weights()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, bytes]:
    """The weights of a training outside of any cluster, and a checkpoint of another training."""
    folder = tmp_path_factory.mktemp("alone")
    with IsolatedProcess("alone") as process:
        weights = process.call(final_weights, folder)
        process.call(final_weights, folder, folder / "other.ckpt", 0.1)
    return weights, (folder / "other.ckpt").read_bytes()


@pytest.mark.parametrize("tasks", ["1", "4"])
@pytest.mark.parametrize("keeps", [True, False])
def test_slurm_changes_nothing(
    alone: tuple[Weights, bytes], tasks: str, keeps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, other = alone
    (tmp_path / "hpc_ckpt_1.ckpt").write_bytes(other)
    monkeypatch.chdir(tmp_path)
    for name, value in {**SLURM, "SLURM_NTASKS": tasks}.items():
        monkeypatch.setenv(name, value)
    checkpoint = tmp_path / "last.ckpt" if keeps else None
    with IsolatedProcess("under Slurm") as process:
        weights = process.call(final_weights, tmp_path, checkpoint)
    for parameter, values in expected.items():
        np.testing.assert_array_equal(weights[parameter], values, strict=True)
    assert checkpoint is None or checkpoint.is_file()
