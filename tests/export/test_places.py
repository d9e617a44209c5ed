"""Where exports go: what can't be written is refused first, and what a killed one left is deleted."""

import multiprocessing
import signal
from pathlib import Path

import pytest

from experiments.export.formats import FORMATS
from experiments.export.places import check_folder, work_folder
from experiments.system.errors import TandemError


@pytest.mark.parametrize("place", ["/proc/nosuch", "file", "file/below", "nowhere", "nowhere/below"])
def test_a_place_that_can_not_be_written_is_refused_in_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("nosuch")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(TandemError, match=r"^--out: expected a folder.*; got /.*; name another$") as refused:
        _begin(tmp_path / place)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.iterdir()) == before


def _begin(place: Path) -> None:
    check_folder(place / "onnx", FORMATS["onnx"])
    with work_folder(place):
        pass


def _die(place: Path) -> None:
    with work_folder(place) as work:
        (work / "part").touch()
        signal.raise_signal(signal.SIGKILL)


def test_what_a_killed_export_left_is_deleted_and_that_of_a_running_one_kept(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die, args=(tmp_path / "out",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = (tmp_path / "out").iterdir()
    with work_folder(tmp_path / "out") as first:
        assert not left.exists()
        with work_folder(tmp_path / "out") as second:
            assert {*(tmp_path / "out").iterdir()} == {first, second}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_nothing_was_put_into_goes_with_the_work(tmp_path: Path) -> None:
    for file, left in (("work/file", []), ("file", ["a", "a/b", "a/b/file"])):
        with work_folder(tmp_path / "a" / "b") as work:
            (work if file == "work/file" else work.parent).joinpath("file").touch()
        assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == left
