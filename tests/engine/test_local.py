"""Real worker processes on this machine."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.config
import pytest

from experiments.engine import dask as engine_module
from experiments.engine.configure import configure
from experiments.engine.gpus import share_gpus, visible_gpus
from experiments.engine.make import make_engine
from experiments.engine.places import LocalPlaces
from experiments.settings.engines import Engines
from experiments.system.errors import TandemError
from tests.conftest import ROOT
from tests.engine import work
from tests.engine.conftest import Heard, gone, wait_gone

Local = Callable[..., Heard]
GPUS = "CUDA_VISIBLE_DEVICES"


def test_results_errors_and_answers(local: Local) -> None:
    heard = local()
    (slot,) = heard.slots(1)
    assert (slot.name, slot.node, slot.gpus) == ("local-0", os.uname().nodename, os.environ.get(GPUS, ""))
    for key, task, args in (
        ("a", work.talk, [3]),
        ("b", work.fail, [False]),
        ("c", work.fail, [True]),
        ("d", work.unpicklable, []),
    ):
        heard.engine.submit(key, slot, task, *args)
        heard.end(key)
    ends = {end.key: end for end in heard.ended}
    assert ends["a"].result == [("answer", 0), ("answer", 1), ("answer", 2)]
    assert heard.reports == [("a", 0), ("a", 1), ("a", 2)]
    assert ends["b"].error == "LocalError: two lines"
    assert ends["c"].error == "a: expected b; got c"
    assert "pickle" in (ends["d"].error or "")
    assert not any(end.lost for end in heard.ended)
    assert heard.slots(1) == [slot]


def test_slots_work_at_the_same_time_each_with_its_own_environment(local: Local, tmp_path: Path) -> None:
    heard = local(2, gpus=["3", "GPU-x"], threads=3)
    slots = heard.slots(2)
    assert [(slot.name, slot.gpus) for slot in slots] == [("local-0", "3"), ("local-1", "GPU-x")]
    for own, other, slot in (("a", "b", slots[0]), ("b", "a", slots[1])):
        heard.engine.submit(own, slot, work.meet, tmp_path, other, own)
    assert heard.end("a").result is True
    assert heard.end("b").result is True
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", GPUS]
    heard.engine.submit("c", slots[1], work.environment, names)
    assert heard.end("c").result == dict(zip(names, ["3", "3", "GPU-x"], strict=True))
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"] != "3"


def test_a_killed_worker_is_lost_once_and_replaced(local: Local, tmp_path: Path) -> None:
    heard = local()
    (slot,) = heard.slots(1)
    heard.engine.submit("a", slot, work.with_child)
    pids = heard.first_report("a")
    os.kill(pids[0], signal.SIGKILL)
    began = time.monotonic()
    ended = heard.end("a")
    assert (ended.lost, ended.error, ended.result) == (True, None, None)
    assert time.monotonic() - began < 2
    (again,) = heard.slots(1)
    assert again.name == slot.name
    assert again.address != slot.address
    wait_gone(pids[1])  # what it had started
    heard.engine.submit("b", slot, work.talk, 1)  # to the one that is gone
    assert heard.end("b").lost
    heard.engine.submit("c", again, work.talk, 1)
    assert heard.end("c").result == [("answer", 0)]
    assert sorted(end.key for end in heard.ended) == ["a", "b", "c"]


def test_a_result_wins_over_the_loss_after_it(local: Local) -> None:
    heard = local()
    (slot,) = heard.slots(1)
    for number in range(5):
        (slot,) = heard.slots(1)
        heard.engine.submit(str(number), slot, work.talk_and_die)
        heard.until(lambda: heard.reports)
        ended = heard.end(str(number))
        assert ended.result == "whole" or ended.lost
        heard.until(lambda: [each.address for each in heard.engine.slots()] not in ([], [slot.address]))  # noqa: B023
    assert len(heard.ended) == 5


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up workers that are silent for some seconds; Dask doesn't do it sooner than after five."""

    def configure_so() -> None:
        configure()
        dask.config.set({"distributed.scheduler.worker-ttl": "1s"})

    monkeypatch.setattr(engine_module, "configure", configure_so)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("killed", [True, False])
def test_a_stopped_worker_is_lost_and_never_heard_again(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    if not killed:  # as on another machine, where its process can't be killed from here
        monkeypatch.setattr(LocalPlaces, "gone", lambda self, slot: None)
    heard = local()
    (slot,) = heard.slots(1)
    heard.engine.submit("a", slot, work.hold, tmp_path)
    pid = heard.first_report("a")
    os.kill(pid, signal.SIGSTOP)
    assert heard.end("a").lost
    (tmp_path / "held").touch()
    if not killed:
        os.kill(pid, signal.SIGCONT)
    wait_gone(pid)
    assert heard.slots(1)[0].address != slot.address
    assert heard.reports == [("a", pid)]
    assert len(heard.ended) == 1


def test_a_renewed_worker_is_another_process(local: Local) -> None:
    heard = local()
    (slot,) = heard.slots(1)
    heard.engine.renew(slot)
    assert slot not in heard.engine.slots()
    (again,) = heard.slots(1)
    assert (again.name, again.address == slot.address) == (slot.name, False)


def test_an_answer_that_raises_is_raised_from_events(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = local()
    (slot,) = heard.slots(1)

    def refuse(key: str, message: Any) -> Any:
        raise LookupError(key)

    monkeypatch.setattr(heard.engine, "_answer", refuse)
    heard.engine.submit("a", slot, work.talk, 1)
    with pytest.raises(LookupError, match="a"):
        heard.end("a")
    assert heard.end("a").lost  # its worker was refused


def test_workers_that_can_t_start_are_an_error(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr("experiments.engine.crew.PAUSE_SECONDS", 0.01)
    heard = local()
    with pytest.raises(TandemError, match=r"worker local-0: expected a process that connects; got 5 in a row .* says"):
        heard.until(lambda: False)


def test_keys_are_private_and_closing_is_quick_and_repeatable(local: Local, tmp_path: Path) -> None:
    heard = local(2)
    slots = heard.slots(2)
    for key, slot in zip("ab", slots, strict=True):
        heard.engine.submit(key, slot, work.with_child)
    pids = [pid for key in "ab" for pid in heard.first_report(key)]
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    began = time.monotonic()
    heard.engine.close()
    assert time.monotonic() - began < 1
    for pid in pids:
        wait_gone(pid, 1)
    heard.engine.close()


Control = Callable[[], tuple["subprocess.Popen[str]", list[int]]]


@pytest.fixture
def control(tmp_path: Path) -> Control:
    """Start a controlling process in a group of its own, as a terminal does; return it and its workers' pids."""

    def start() -> tuple["subprocess.Popen[str]", list[int]]:
        home = tmp_path / "home"
        home.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.controller", str(tmp_path / "engine"), "2", "{}", "local"],
            cwd=ROOT,
            env={**os.environ, "HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        assert process.stdout is not None
        return process, [pid for _ in range(2) for pid in json.loads(process.stdout.readline())]

    return start


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_workers_go_with_the_controller_and_nothing_is_printed(
    control: Control, tmp_path: Path, number: signal.Signals
) -> None:
    process, pids = control()
    os.killpg(process.pid, number)  # a Ctrl-C at a terminal reaches the whole group
    assert process.wait(5) == (128 + number if number in (signal.SIGINT, signal.SIGTERM) else -number)
    for pid in pids:
        wait_gone(pid)
    assert process.communicate() == ("", "")
    assert not list((tmp_path / "home").rglob("*"))
    assert (tmp_path / "engine/logs/local-0.log").read_text() == ""


def test_a_gpu_has_room_for_so_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(GPUS, "0,1")
    assert share_gpus(4, 2) == ["0", "1", "0", "1"]
    with pytest.raises(TandemError, match="--workers: expected at most 2, since there are 2 GPU"):
        make_engine("local", Engines(), workers=3, threads=1, folder=tmp_path)
    make_engine("local", Engines(), workers=3, threads=1, folder=tmp_path, gpus=False)
    monkeypatch.setenv(GPUS, "")
    assert share_gpus(3, 1) == []
    assert visible_gpus({GPUS: "2,5,-1,6"}) == ["2", "5"]
    assert not gone(os.getpid())
