import gzip
import hashlib
import socket
from pathlib import Path

import numpy as np
import pytest

from experiments.data.idx import read_idx, to_idx
from experiments.settings.params import Data
from experiments.stages import download as stage
from experiments.stages.download import download
from experiments.system.errors import TandemError
from tests.stages.mirror import Behaviour, mirror

CONTENT = {name: to_idx(np.full((9, 4, 4), place, np.uint8)) for place, name in enumerate(stage.MNIST)}
FILES = {f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect small files in place of MNIST's, and pause briefly."""
    for name, content in CONTENT.items():
        monkeypatch.setitem(stage.MNIST, name, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(stage, "PAUSE_SECONDS", 0.01)


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


def check(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {*CONTENT, "name.txt"}
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT
    assert (folder / "name.txt").read_text() == "mnist\n"


def test_the_files_arrive_unpacked(tmp_path: Path) -> None:
    with mirror(FILES, "good") as good:
        assert download(settings(good.url), tmp_path / "downloads") == "mnist"
    check(tmp_path / "downloads")


@pytest.mark.parametrize("behaviour", ["truncating", "corrupting", "stalling", "missing"])
def test_a_bad_mirror_is_passed_over(tmp_path: Path, behaviour: Behaviour, capsys: pytest.CaptureFixture[str]) -> None:
    with mirror(FILES, behaviour) as bad, mirror(FILES, "good") as good:
        download(settings(bad.url, good.url), tmp_path / "downloads")
        assert len(bad.asked) == 2 * len(CONTENT)  # once, and a retry
        assert f"WARNING: train-images-idx3-ubyte: {bad.url}: " in capsys.readouterr().err
    check(tmp_path / "downloads")


def test_a_passing_fault_is_retried(tmp_path: Path) -> None:
    with mirror(FILES, "failing once") as flaky:
        download(settings(flaky.url), tmp_path / "downloads")
    check(tmp_path / "downloads")


@pytest.mark.parametrize("behaviour", ["truncating", "corrupting", "stalling", "missing"])
def test_where_every_mirror_is_bad_nothing_is_left_and_nothing_stands_in(tmp_path: Path, behaviour: Behaviour) -> None:
    with mirror(FILES, behaviour) as bad, pytest.raises(TandemError) as caught:
        download(settings(bad.url, fallback=True), tmp_path / "downloads")
    assert str(caught.value).startswith("train-images-idx3-ubyte: no mirror has the right file: ")
    assert bad.url in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_leaves_the_one_before(tmp_path: Path) -> None:
    with mirror(FILES, "good") as good:
        download(settings(good.url), tmp_path / "downloads")
    with mirror(FILES, "corrupting") as bad, pytest.raises(TandemError):
        download(settings(bad.url), tmp_path / "downloads")
    check(tmp_path / "downloads")


def test_a_dead_mirror_is_not_asked_for_files(tmp_path: Path, dead: str) -> None:
    with mirror(FILES, "good") as good:
        download(settings(dead, good.url), tmp_path / "downloads")
    check(tmp_path / "downloads")


def test_the_user_s_mirror_goes_first(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, packed in FILES.items():
        (folder / name).write_bytes(packed)
    with mirror(FILES, "good") as other:
        download(settings(other.url), tmp_path / "downloads", str(folder))
        assert other.asked == []
    check(tmp_path / "downloads")


def test_a_user_s_mirror_that_is_no_mirror_is_refused(tmp_path: Path, dead: str) -> None:
    with pytest.raises(TandemError, match="TANDEM_MIRROR: expected an http:// or https:// address, or a folder; got"):
        download(settings(dead), tmp_path / "downloads", str(tmp_path / "nowhere"))


def test_without_a_network_the_stand_in_is_taken_and_announced(
    tmp_path: Path, dead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "downloads"
    assert download(settings(dead, fallback=True), folder) == "digits"
    assert "WARNING: no mirror answers" in capsys.readouterr().err
    assert (folder / "name.txt").read_text() == "digits\n"
    images = read_idx(folder / "train-images-idx3-ubyte", 3)
    labels = read_idx(folder / "train-labels-idx1-ubyte", 1)
    assert images.shape == (1500, 28, 28)
    assert read_idx(folder / "t10k-images-idx3-ubyte", 3).shape == (297, 28, 28)
    assert np.bincount(labels).min() > 140
    assert images.max() > 250
    assert images.min() == 0


def test_without_a_network_and_a_stand_in_it_is_an_error(tmp_path: Path, dead: str) -> None:
    with pytest.raises(TandemError, match=r"no mirror answers .*connect this machine, or set TANDEM_MIRROR"):
        download(settings(dead), tmp_path / "downloads")
    assert list(tmp_path.iterdir()) == []
