"""What a command by hand may write over, and what not."""

import pytest

from experiments.settings.by_hand import for_command
from experiments.settings.project import Project, RunKey

LOCK = """
schema: '2.0'
stages:
  train@lenet-keras-1:
    cmd: exec python -m experiments train lenet keras 1
    outs:
    - path: runs/lenet/keras/1/model
      md5: 0
  sources:
    cmd: exec python -m experiments sources
"""


def place(project: Project, seed: int) -> str:
    key = RunKey("lenet", "keras", seed)
    return str(for_command(project, project.run(key)).run(key).relative_to(project.root))


def test_what_dvc_keeps_is_not_written_over(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place(project, 1) == "runs/lenet/keras/1"  # DVC keeps nothing yet
    project.dvc_lock.write_text(LOCK)
    assert place(project, 1) == "by-hand/runs/lenet/keras/1"
    assert place(project, 12) == "runs/lenet/keras/12"
    parity = project.reports / "parity.json"
    assert for_command(project, parity).reports == project.reports
    project.dvc_lock.write_text(LOCK.replace("runs/lenet/keras/1/model", "reports/parity.json"))
    assert for_command(project, parity).reports == project.root / "by-hand" / "reports"
    monkeypatch.setenv("DVC_STAGE", "parity")  # as DVC starts it
    assert for_command(project, parity).reports == project.reports


def test_a_lock_that_can_t_be_read_may_keep_all(project: Project) -> None:
    project.dvc_lock.write_text("<<<<<<< HEAD\n=======\n>>>>>>> other\n")
    assert place(project, 12) == "by-hand/runs/lenet/keras/12"
