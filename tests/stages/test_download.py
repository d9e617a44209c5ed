import gzip
import hashlib
import socket
from pathlib import Path

import numpy as np
import pytest

from experiments.data import mnist
from experiments.data.idx import read_idx, to_idx
from experiments.settings.params import Data
from experiments.settings.project import Project
from experiments.stages.download import download
from experiments.system.errors import TandemError
from tests.conftest import ROOT
from tests.stages.mirror import Behaviour, mirror

CONTENT = {name: to_idx(np.full((9, 4, 4), index, np.uint8)) for index, name in enumerate(mnist.MNIST)}
FILES = {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect small files in place of MNIST's, and pause briefly."""
    for name, content in CONTENT.items():
        monkeypatch.setitem(mnist.MNIST, name, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(mnist, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without files, in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, folder)


@pytest.fixture
def dead() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


def settings(*mirrors: str, fallback: bool = False) -> Data:
    return Data.model_validate(
        {
            "mirrors": list(mirrors),
            "timeout_seconds": 0.5,
            "retries": 1,
            "offline_fallback": "digits" if fallback else None,
        }
    )


def check(project: Project) -> None:
    assert [path.name for path in project.root.iterdir()] == ["downloads"]
    assert {path.name for path in project.downloads.iterdir()} == {*CONTENT, "name.txt"}
    assert {name: (project.downloads / name).read_bytes() for name in CONTENT} == CONTENT
    assert (project.downloads / "name.txt").read_text() == "mnist\n"


def test_the_files_arrive_unpacked(project: Project) -> None:
    with mirror(FILES, "good") as good:
        assert download(project, settings(good.url)) == "mnist"
    check(project)


BAD: tuple[Behaviour, ...] = ("truncating", "corrupting", "stalling", "missing", "failing")


@pytest.mark.parametrize("behaviour", BAD)
def test_a_bad_mirror_is_passed_over(
    project: Project, behaviour: Behaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    with mirror(FILES, behaviour) as bad, mirror(FILES, "good") as good:
        download(project, settings(bad.url, good.url))
        # A fault that may be over soon is retried, a wrong file is not.
        assert len(bad.asked) == len(CONTENT) * (2 if behaviour == "failing" else 1)
        assert f"WARNING: train-images-idx3-ubyte: {bad.url}: " in capsys.readouterr().err
    check(project)


def test_a_passing_fault_is_retried(project: Project) -> None:
    with mirror(FILES, "failing once") as flaky:
        download(project, settings(flaky.url))
    check(project)


@pytest.mark.parametrize("behaviour", BAD)
def test_where_every_mirror_is_bad_there_are_no_files_and_no_stand_in(project: Project, behaviour: Behaviour) -> None:
    with mirror(FILES, behaviour) as bad, pytest.raises(TandemError) as caught:
        download(project, settings(bad.url, fallback=True))
    assert str(caught.value).startswith("train-images-idx3-ubyte: no mirror has the right file: ")
    assert bad.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(project.root.iterdir()) == []


def test_a_failed_download_leaves_the_one_before(project: Project) -> None:
    with mirror(FILES, "good") as good:
        download(project, settings(good.url))
    with mirror(FILES, "corrupting") as bad, pytest.raises(TandemError):
        download(project, settings(bad.url))
    check(project)


def test_a_dead_mirror_is_not_asked_for_files(project: Project, dead: str) -> None:
    with mirror(FILES, "good") as good:
        download(project, settings(dead, good.url))
    check(project)


def test_the_user_s_mirror_is_the_first(project: Project, tmp_path: Path) -> None:
    for name, packed in FILES.items():
        (tmp_path / name).write_bytes(packed)
    with mirror(FILES, "good") as other:
        download(project, settings(other.url), str(tmp_path))
        assert other.asked == []
    check(project)


def test_a_user_s_mirror_that_is_no_mirror_is_refused(project: Project, dead: str) -> None:
    with pytest.raises(TandemError, match="TANDEM_MIRROR: expected an http:// or https:// address, or a folder; got"):
        download(project, settings(dead), str(project.root / "nowhere"))


def test_without_a_network_the_stand_in_is_used_and_announced(
    project: Project, dead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project.downloads
    assert download(project, settings(dead, fallback=True)) == "digits"
    assert "WARNING: no mirror answers" in capsys.readouterr().err
    assert (folder / "name.txt").read_text() == "digits\n"
    images = read_idx(folder / "train-images-idx3-ubyte", 3)
    labels = read_idx(folder / "train-labels-idx1-ubyte", 1)
    assert images.shape == (1500, 28, 28)
    assert read_idx(folder / "t10k-images-idx3-ubyte", 3).shape == (297, 28, 28)
    assert np.bincount(labels).min() > 140
    assert images.max() > 250
    assert images.min() == 0


def test_without_a_network_and_a_stand_in_it_is_an_error(project: Project, dead: str) -> None:
    with pytest.raises(TandemError, match=r"no mirror answers .*connect this machine, or set TANDEM_MIRROR"):
        download(project, settings(dead))
    assert list(project.root.iterdir()) == []


@pytest.mark.parametrize("data_file", ["outs:\n- path: data\n", "deps:\n- path: elsewhere\nouts:\n- path: data\n"])
def test_with_your_own_data_nothing_is_downloaded(
    project: Project, data_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project.data_file.write_text(data_file)
    with mirror(FILES, "good") as good:
        assert download(project, settings(good.url)) == "nothing"
        assert good.asked == []
    assert "data/ is your own" in capsys.readouterr().err
    assert list(project.downloads.iterdir()) == []


def test_with_the_repository_s_data_dvc_the_files_are_downloaded(project: Project) -> None:
    project.data_file.write_bytes((ROOT / "data.dvc").read_bytes())
    with mirror(FILES, "good") as good:
        assert download(project, settings(good.url)) == "mnist"
