import multiprocessing
from pathlib import Path

import pytest

from experiments.system import locks as module
from experiments.system.errors import TandemError
from experiments.system.locks import exclusive
from experiments.training.checkpoint import Checkpoint, State


def test_a_state_comes_back(tmp_path: Path) -> None:
    state = State("run", {1: {"train/loss": 0.5}}, ["epoch 1"], 2.3)
    Checkpoint(tmp_path).save(state)
    assert Checkpoint(tmp_path).load() == state


@pytest.mark.parametrize("damage", ["", '{"run_id": "ru', '{"runs": 1}', "[]"])
def test_a_damaged_state_is_one_line_that_says_what_to_delete(tmp_path: Path, damage: str) -> None:
    Checkpoint(tmp_path).save(State("run"))
    (tmp_path / "state.json").write_text(damage)
    with pytest.raises(TandemError, match=f"the file is damaged; delete the folder {tmp_path} and repeat") as error:
        Checkpoint(tmp_path).load()
    assert "\n" not in str(error.value)


def test_a_framework_s_part_without_a_state_is_forgotten(tmp_path: Path) -> None:
    Checkpoint(tmp_path).file.touch()
    assert Checkpoint(tmp_path).load() is None
    assert not Checkpoint(tmp_path).file.exists()


def test_a_finished_training_leaves_nothing(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "digest")
    checkpoint.save(State("run"))
    checkpoint.file.touch()
    checkpoint.clear()
    assert list(tmp_path.iterdir()) == []


def _hold(folder: Path, ready: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with exclusive(folder, "lenet/keras/1"):
        ready.set()
        done.wait()


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    folder = tmp_path / "lenet" / "keras" / "1" / "digest"
    holder = context.Process(target=_hold, args=(folder, ready, done))
    holder.start()
    assert ready.wait(30)
    with (
        pytest.raises(TandemError, match="lenet/keras/1: another process is at work on this"),
        exclusive(folder, "lenet/keras/1"),
    ):
        pass
    holder.kill()  # no farewell: the lock must go with the process
    holder.join()
    with exclusive(folder, "lenet/keras/1"):
        assert folder.parent.is_dir()
