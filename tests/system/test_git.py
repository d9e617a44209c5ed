import subprocess
from pathlib import Path

import pytest

from experiments.system.git import MOST_CHARACTERS, read_checkout


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def test_a_commit_and_what_differs_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init")
    for name in ("code", "dvc.lock"):
        (tmp_path / name).write_text("old\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    assert len(read_checkout(tmp_path).commit) == 40
    (tmp_path / "dvc.lock").write_text("new\n")  # DVC writes it in the middle of a run
    assert not read_checkout(tmp_path).dirty
    (tmp_path / "code").write_text("new\n")
    (tmp_path / "code").write_bytes(b"new \xff\n")  # no UTF-8
    assert "+new" in read_checkout(tmp_path).diff
    git(tmp_path, "checkout", "code")
    (tmp_path / "notes.txt").write_text("not code\n")
    assert not read_checkout(tmp_path).dirty
    (tmp_path / "fresh.py").write_text("untracked = 1\n")
    assert read_checkout(tmp_path).dirty
    assert not read_checkout(tmp_path).diff  # nobody has asked to publish it


def _changed(folder: Path, content: str) -> None:
    git(folder, "init")
    (folder / "code.py").write_text("old\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    (folder / "code.py").write_text(content)


def test_a_large_difference_is_summarised(tmp_path: Path) -> None:
    _changed(tmp_path, "a long line of data\n" * (MOST_CHARACTERS // 20))
    checkout = read_checkout(tmp_path)
    assert checkout.dirty
    assert "more than 1000000: only a summary is logged" in checkout.diff
    assert "code.py" in checkout.diff
    assert len(checkout.diff) < 1000


def test_the_difference_is_left_out_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _changed(tmp_path, "new\n")
    assert "+new" in read_checkout(tmp_path).diff
    monkeypatch.setenv("TANDEM_LOG_GIT_DIFF", "0")
    assert (read_checkout(tmp_path).diff, read_checkout(tmp_path).dirty) == ("", True)


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    checkout = read_checkout(tmp_path)
    assert checkout.commit == "none"
    assert not checkout.dirty
