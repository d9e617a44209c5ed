from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from experiments.contract.model import Model
from experiments.training.outputs import Outputs, read_outputs, write_outputs

OUTPUTS = Outputs(
    {"test/loss": 0.1}, [{"epoch": 1.0}], {"seed": 1}, np.array([0, 1]), np.array([1, 1]), np.array([0.5, 1.0])
)


class Saves:
    """The part of a model that writing outputs needs."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def save(self, folder: Path) -> None:
        for name in self.names:
            (folder / name).mkdir()
            (folder / name / "weights").write_text(name)


def _write(folder: Path, *names: str) -> None:
    write_outputs(folder, OUTPUTS, cast(Model, Saves(*names)))


def test_outputs_are_on_disk_before_the_checkpoint_is_deleted(
    tmp_path: Path, is_synced: Callable[[Path], bool]
) -> None:
    _write(tmp_path / "runs" / "1", "a", "b")
    assert is_synced(tmp_path / "runs")
    assert len(list((tmp_path / "runs" / "1").rglob("*"))) == 9


def test_outputs_replace_those_of_the_run_before(tmp_path: Path) -> None:
    _write(tmp_path / "1", "old")
    _write(tmp_path / "1", "new")
    assert [path.name for path in (tmp_path / "1" / "model").iterdir()] == ["new"]
    outputs = read_outputs(tmp_path / "1")
    assert (outputs.metrics, outputs.history, outputs.record) == (OUTPUTS.metrics, OUTPUTS.history, OUTPUTS.record)
    assert outputs.predicted.tolist() == [1, 1]


def test_outputs_of_an_older_version_count_as_missing(tmp_path: Path) -> None:
    _write(tmp_path / "1")
    (tmp_path / "1" / "predictions.csv").write_text("actual,predicted\n1,1\n0,1\n")
    with pytest.raises(FileNotFoundError, match="probability"):
        read_outputs(tmp_path / "1")
