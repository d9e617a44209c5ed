import subprocess
import sys
from pathlib import Path

import pytest

from experiments.data.recorded import check_nothing_is_lost, digest_of
from experiments.settings.project import Project
from experiments.system.errors import TandemError


def dvc(project: Project, *words: str) -> None:
    program = Path(sys.executable).parent / "dvc"
    subprocess.run([program, *words, "--quiet"], cwd=project.root, check=True, capture_output=True)


@pytest.fixture
def imported(project: Project) -> Project:
    """A project whose data/ is an import of downloads/, as data.dvc says."""
    dvc(project, "init", "--no-scm")
    for folder in (project.downloads, project.data):
        folder.mkdir()
        (folder / "images").write_bytes(b"0123456789")
        (folder / "labels").write_bytes(b"01")
    record(project, digest_of(project.data), digest_of(project.data))
    return project


def record(project: Project, downloads: str, data: str) -> None:
    parts = ("deps", "downloads", downloads), ("outs", "data", data)
    text = "".join(f"{key}:\n- path: {path}\n  md5: {md5}\n  hash: md5\n" for key, path, md5 in parts)
    project.data_file.write_text(text)


def test_nothing_is_lost_of_an_import_whole_or_stopped(imported: Project) -> None:
    check_nothing_is_lost(imported)
    (imported.data / "images").write_bytes(b"01234")
    (imported.data / ".0123456789abcdefghijkl.tmp").write_bytes(b"")  # as DVC calls what it copies
    (imported.data / "labels").unlink()
    check_nothing_is_lost(imported)
    (imported.data / "images").unlink()
    check_nothing_is_lost(imported)


def test_nothing_is_lost_of_what_is_recorded_where_nothing_is_downloaded_yet(imported: Project) -> None:
    (imported.downloads / "images").unlink()
    check_nothing_is_lost(imported)


@pytest.mark.parametrize("change", ["another", "changed", "longer", "link"])
def test_a_file_of_the_user_is_not_replaced(imported: Project, change: str) -> None:
    file = imported.data / ("new" if change in ("another", "link") else "images")
    if change == "link":
        file.symlink_to("nowhere")
    else:
        file.write_bytes(b"0123456789+" if change == "longer" else b"own")
    with pytest.raises(TandemError, match=r"nowhere else.*`rm data.dvc`, then `dvc add data`") as caught:
        check_nothing_is_lost(imported)
    assert str(caught.value).startswith(f"{file}: ")
    imported.data_file.write_text("outs:\n- path: data\n")  # his own
    check_nothing_is_lost(imported)


def test_files_in_dvc_s_cache_are_not_lost(imported: Project) -> None:
    before = imported.data_file.read_text()
    (imported.data / "images").write_bytes(b"own")
    imported.data_file.unlink()
    dvc(imported, "add", "data")
    imported.data_file.write_text(before)
    check_nothing_is_lost(imported)


def test_data_that_was_added_to_the_import_is_not_replaced_later(imported: Project) -> None:
    (imported.data / "images").write_bytes(b"own")
    record(imported, digest_of(imported.downloads), digest_of(imported.data))
    with pytest.raises(TandemError, match="still imports downloads/ after `dvc add data`"):
        check_nothing_is_lost(imported)
