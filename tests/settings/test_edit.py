"""params.yaml edited by a command: nothing else changes, and nobody's change is lost."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from experiments.settings.edit import edit_params, edited, value_of
from experiments.settings.params import Params, load_params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.locks import exclusive
from tests.conftest import ROOT

TEXT = (ROOT / "params.yaml").read_text()


def add_seed(params: Params, content: Any) -> None:
    content["train"]["seeds"].append(1 + max(params.train.seeds))


def test_an_edit_of_nothing_changes_nothing() -> None:
    assert edited(TEXT, lambda params, content: None) == TEXT


def test_an_edit_is_written_and_shown(project: Project) -> None:
    before = project.params.read_text()
    diff = edit_params(project, add_seed).splitlines()
    assert [line.split("#")[0].strip() for line in diff if line[0] == "+"][1:] == ["+  seeds: [12, 13]"]
    assert project.params.read_text() == before.replace("seeds: [12]", "seeds: [12, 13]")


def test_edits_at_the_same_time_are_all_kept(project: Project) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: edit_params(project, add_seed), range(8)))
    assert load_params(project.params).train.seeds == tuple(range(12, 21))


def test_an_edit_that_nobody_locked_out_is_not_overwritten(project: Project) -> None:
    def change(params: Params, content: Any) -> None:
        project.params.write_text(TEXT + "# by hand\n")
        add_seed(params, content)

    with pytest.raises(TandemError, match=r"params.yaml: expected no other change meanwhile; got one; repeat"):
        edit_params(project, change)
    assert project.params.read_text() == TEXT + "# by hand\n"
    assert [path.name for path in project.root.glob(".params*")] == []


def test_a_symlink_stays_and_its_target_keeps_its_mode(project: Project, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "mine.yaml"
    target.parent.mkdir()
    project.params.rename(target)
    target.chmod(0o640)
    project.params.symlink_to(os.path.relpath(target, tmp_path))
    edit_params(project, add_seed)
    assert project.params.is_symlink()
    assert "seeds: [12, 13]" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize("fault", ["before", "after"])
def test_an_invalid_file_is_one_line_and_stays(project: Project, fault: str) -> None:
    text = TEXT.replace("seeds: [12]", "seeds: [") if fault == "before" else TEXT
    project.params.write_text(text)
    with pytest.raises(TandemError, match=r"^params.yaml: .*expected"):
        edit_params(project, lambda params, content: content["train"].update(threads=-1))
    assert project.params.read_text() == text


def test_a_second_process_waits_and_then_gives_up(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.system.locks.LOCK_SECONDS", 0.1)
    with (
        exclusive(project.params_lock, "params.yaml"),
        pytest.raises(TandemError, match=r"params.yaml: another process"),
    ):
        edit_params(project, add_seed)


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-300, 12, True, {"a": "b"}, "train+validation", "cnn3-functional"])
def test_a_setting_comes_back_as_it_was(value: object) -> None:
    assert value_of(str(value)) == value
