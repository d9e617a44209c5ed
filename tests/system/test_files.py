import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from experiments.system.files import digest, replace_folder, sync_folder, write_atomically

IsSynced = Callable[[Path], bool]


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udcff")  # can't be encoded: fails half-way
    assert path.read_text() == "old"


def test_a_write_that_fails_leaves_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_written_file_is_on_disk_and_so_is_its_name(tmp_path: Path, is_synced: IsSynced) -> None:
    write_atomically(tmp_path / "folder" / "file", "new")
    assert is_synced(tmp_path / "folder")


def test_two_writers_of_the_same_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    path, contents = tmp_path / "file", ["a" * 1_000_000, "b" * 500_000]
    with ThreadPoolExecutor(4) as pool:
        for written in [pool.submit(write_atomically, path, content) for content in contents * 50]:
            written.result()
    assert path.read_text() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_synced_with_all_below_it(tmp_path: Path, is_synced: IsSynced) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("x")
    assert not is_synced(tmp_path)
    sync_folder(tmp_path)
    assert is_synced(tmp_path)


def test_a_replaced_folder_has_the_new_files_only_and_is_on_disk(tmp_path: Path, is_synced: IsSynced) -> None:
    target = tmp_path / "folder"
    for name in ("old", "new"):
        with replace_folder(target) as folder:
            (folder / name).write_text(name)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]
    assert is_synced(tmp_path)


def test_a_folder_that_can_not_be_filled_leaves_the_old_one(tmp_path: Path) -> None:
    def fill(name: str, *, fail: bool) -> None:
        with replace_folder(tmp_path / "folder") as folder:
            (folder / name).touch()
            if fail:
                raise ValueError("full")

    fill("old", fail=False)
    with pytest.raises(ValueError, match="full"):
        fill("new", fail=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "old"]


def _die(target: Path) -> None:
    with replace_folder(target) as folder:
        (folder / "part").touch()
        signal.raise_signal(signal.SIGKILL)


def test_what_a_killed_process_left_is_deleted_and_that_of_a_running_one_kept(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    process = multiprocessing.get_context("spawn").Process(target=_die, args=(target,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with replace_folder(target) as slow:
        (slow / "slow").touch()
        with replace_folder(target) as fast:
            (fast / "fast").touch()
        assert [path.name for path in target.iterdir()] == ["fast"]
    assert [path.name for path in target.iterdir()] == ["slow"]
    assert not left.exists()
    assert list(tmp_path.iterdir()) == [target]


BASE = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2, np.float32)}


@pytest.mark.parametrize(
    "other",
    [
        {"a": BASE["a"], "c": BASE["b"]},
        {"a": BASE["a"].reshape(3, 2), "b": BASE["b"]},
        {"a": BASE["a"].astype(np.float64), "b": BASE["b"]},
        {"a": BASE["a"], "b": BASE["b"] * np.float32(1 + 2**-23)},
    ],
    ids=["name", "shape", "dtype", "last bit"],
)
def test_a_digest_tells_arrays_apart(other: dict[str, np.ndarray]) -> None:
    assert digest(other) != digest(BASE)


def test_a_digest_ignores_order_and_layout_in_memory() -> None:
    assert digest({"b": BASE["b"], "a": np.asfortranarray(BASE["a"])}) == digest(BASE)
