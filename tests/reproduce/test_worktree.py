"""The worktree of a repetition: what it gets, and that nothing of it stays."""

import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from experiments.reproduce.changes import Changes
from experiments.reproduce.record import Record
from experiments.reproduce.verdict import Trace
from experiments.reproduce.worktree import apply_changes, checked_out, write_settings
from experiments.settings.project import Project, RunKey
from experiments.system.errors import Stopped, TandemError
from experiments.system.git import read_checkout
from tests.conftest import ROOT

SETTINGS = {"lr": "1e-05", "architecture": "mlp", "drop_last": "True", "initialiser_exceptions": "{'a/b': 'c'}"}


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(project: Project) -> Project:
    """A project in Git, whose two files then change; one of them is no text."""
    (project.root / ".gitignore").write_text("/.tandem/\n")
    (project.root / "a file.bin").write_bytes(bytes(range(256)))
    git(project.root, "init", "--quiet")
    git(project.root, "add", ".")
    git(project.root, "commit", "--quiet", "--message", "first")
    (project.root / "params.yaml").write_text((project.root / "params.yaml").read_text() + "# changed\r\n")
    (project.root / "a file.bin").write_bytes(bytes(256))
    return project


def record_of(commit: str) -> Record:
    trace = Trace(code="", data="", initial_weights="", batch_order="")
    return Record(
        run_id="0" * 32,
        name="any name",
        key=RunKey("mlp", "keras", 3),
        trial=None,
        commit=commit,
        changes=Changes("", "", "none"),
        params=(ROOT / "params.yaml").read_text(),
        settings=SETTINGS,
        versions={},
        packages={},
        platform="",
        cpu="",
        device="cpu",
        threads=1,
        resumed_threads="",
        log_every_steps="7",
        seconds=0,
        trace=trace,
    )


def left(project: Project) -> tuple[list[Path], list[str]]:
    return list(project.reproductions.iterdir()), git(project.root, "worktree", "list").splitlines()[1:]


def test_the_changes_of_a_checkout_apply_whatever_git_is_configured_to_show(repository: Project) -> None:
    for name, value in (("diff.noprefix", "true"), ("color.ui", "always"), ("diff.external", "false")):
        git(repository.root, "config", name, value)
    hook = repository.root / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    checkout = read_checkout(repository.root)
    with checked_out(repository, record_of(checkout.commit)) as tree:
        assert apply_changes(tree.root, checkout.diff) == ""
        assert (tree.root / "params.yaml").read_bytes() == repository.params.read_bytes()
        assert (tree.root / "a file.bin").read_bytes() == bytes(range(256))  # a diff has no binary files
        assert not (tree.root / "hooked").exists()
        assert "patch does not apply" in apply_changes(tree.root, checkout.diff)
    assert left(repository) == ([], [])


@pytest.mark.parametrize("error", [Stopped(2), TandemError("no"), ValueError()])
def test_nothing_stays_however_it_ends(repository: Project, error: BaseException) -> None:
    commit = git(repository.root, "rev-parse", "HEAD").strip()

    def repeat() -> None:
        with checked_out(repository, record_of(commit)) as tree:
            (tree.root / "prepared").symlink_to(ROOT / "docs")
            raise error

    with pytest.raises(type(error)):
        repeat()
    assert left(repository) == ([], [])
    assert (ROOT / "docs").is_dir()


def test_a_killed_one_is_removed_by_the_next_and_a_kept_one_stays(repository: Project) -> None:
    commit = git(repository.root, "rev-parse", "HEAD").strip()
    with checked_out(repository, record_of(commit)) as kept:
        kept.keep = True
    with checked_out(repository, record_of(commit)) as killed:
        killed.keep = True
    killed.root.with_suffix(".lock").touch()
    with checked_out(repository, record_of(commit)) as running, checked_out(repository, record_of(commit)):
        assert running.root.is_dir()
        assert not killed.root.exists()
    assert left(repository)[0] == [kept.root]
    assert len(left(repository)[1]) == 1


def test_a_commit_that_is_gone_is_one_line(repository: Project) -> None:
    with (
        pytest.raises(TandemError, match="expected `git worktree add` to succeed"),
        checked_out(repository, record_of("1" * 40)),
    ):
        pass
    assert left(repository) == ([], [])


def test_the_settings_are_those_of_the_training(tmp_path: Path) -> None:
    write_settings(tmp_path, record_of(""), threads=4, device="cpu")
    content = YAML(typ="safe", pure=True).load(tmp_path / "params.yaml")
    recipe, train = content["recipes"]["mlp"], content["train"]
    # Whatever else the recipe has, such as a momentum, the training hadn't.
    assert recipe == {
        "lr": 1e-05,
        "architecture": "mlp",
        "drop_last": True,
        "initialiser_exceptions": {"a/b": "c"},
    }
    assert (train["recipes"], train["threads"], train["device"], train["log_every_steps"]) == (["mlp"], 4, "cpu", 7)
