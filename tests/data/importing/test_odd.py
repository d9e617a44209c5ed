"""Odd data: each is refused in one line that says what is supported, and nothing is changed."""

from pathlib import Path

import pytest

from experiments.data.importing.run import Wanted, import_data
from experiments.settings.params import Preprocess
from experiments.settings.project import Project
from experiments.stages.preprocess import preprocess
from experiments.system.errors import TandemError
from tests.data import odd

ANY = Wanted(force=True, name="odd")
SPLIT = Preprocess(validation_fraction=0.25, seed=1)


@pytest.fixture
def here(tmp_path: Path) -> Project:
    """A project with data, which nothing here may touch."""
    for name in (".dvc", "data"):
        (tmp_path / "project" / name).mkdir(parents=True)
    (tmp_path / "project" / "data" / "old").write_text("old")
    return Project(tmp_path / "project", tmp_path / "project")


def refuses(project: Project, source: Path, message: str, wanted: Wanted = ANY) -> None:
    """Import a source, which has to be refused."""
    with pytest.raises(TandemError, match=message) as caught:
        import_data(project, source, wanted, SPLIT)
    assert "\n" not in str(caught.value)
    assert [path.name for path in project.data.iterdir()] == ["old"]
    assert sorted(path.name for path in project.root.iterdir()) == [".dvc", "data"]


@pytest.mark.parametrize(("change", "message"), odd.RAW.values(), ids=odd.RAW)
def test_odd_idx_files(here: Project, tmp_path: Path, change: odd.Change, message: str) -> None:
    odd.idx(tmp_path / "raw")
    change(tmp_path / "raw")
    refuses(here, tmp_path / "raw", message)
    refused_by_preprocess(tmp_path, message)


@pytest.mark.parametrize(("change", "message"), odd.NPY.values(), ids=odd.NPY)
def test_odd_npy_files(here: Project, tmp_path: Path, change: odd.Change, message: str) -> None:
    change(tmp_path / "raw")
    refuses(here, tmp_path / "raw", message)
    refused_by_preprocess(tmp_path, message)


def refused_by_preprocess(folder: Path, message: str) -> None:
    with pytest.raises(TandemError, match=message):
        preprocess(SPLIT, folder / "raw", folder / "prepared")
    assert not (folder / "prepared").exists()


@pytest.mark.parametrize(("change", "message"), odd.NPZ.values(), ids=odd.NPZ)
def test_odd_npz(here: Project, tmp_path: Path, change: odd.Change, message: str) -> None:
    change(tmp_path / "odd.npz")
    refuses(here, tmp_path / "odd.npz", message)


@pytest.mark.parametrize(("change", "message"), odd.PICTURES.values(), ids=odd.PICTURES)
def test_odd_pictures(here: Project, tmp_path: Path, change: odd.Change, message: str) -> None:
    odd.pictures(tmp_path / "odd")
    change(tmp_path / "odd")
    refuses(here, tmp_path / "odd", message)


def test_a_folder_without_classes(here: Project, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    refuses(here, tmp_path / "odd", "expected a folder for each class, with PNG or JPEG files; got none")


@pytest.mark.parametrize("name", ["", "n" * 3000, "a b", "\udce9"])
def test_a_name_that_is_none(here: Project, tmp_path: Path, name: str) -> None:
    odd.idx(tmp_path / "raw")
    refuses(here, tmp_path / "raw", "^--name: expected a name of 1 to 40 letters", Wanted(name=name))


def test_sources_that_are_none(here: Project, tmp_path: Path) -> None:
    refuses(here, tmp_path / "nothing", "got nothing of that name")
    (tmp_path / "a.zip").write_bytes(b"")
    refuses(here, tmp_path / "a.zip", "got another file; unpack an archive first")
    refuses(here, here.data, "expected a source elsewhere; got one in data/, which is replaced")
    odd.npz(tmp_path / "a.npz")
    refuses(here, tmp_path / "a.npz", "--size: expected PNG or JPEG files to resize", Wanted(size=8, force=True))
    refuses(here, tmp_path / "a.npz", "data/?: expected data that a commit names", Wanted())


def test_too_few_to_hold_a_test_set_out(here: Project, tmp_path: Path) -> None:
    odd.npz(tmp_path / "a.npz", x_test=None)
    message = "--test-fraction: expected images of each of 3 classes on either side; got 1 of 12 to hold out"
    refuses(here, tmp_path / "a.npz", message, Wanted(force=True, test_fraction=0.01))
