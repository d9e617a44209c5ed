import subprocess
from pathlib import Path

from experiments.system.git import read_checkout


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
    assert "+untracked = 1" in read_checkout(tmp_path).diff


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    checkout = read_checkout(tmp_path)
    assert checkout.commit == "none"
    assert not checkout.dirty
