"""Workers in the jobs of a real Slurm."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.engine import jobs
from experiments.engine.engine import Engine
from experiments.engine.make import make_engine
from experiments.settings.engines import Engines, Slurm
from experiments.system.errors import TandemError
from tests.cluster import Cluster
from tests.conftest import ROOT
from tests.engine import work
from tests.engine.conftest import Heard

GPUS = "CUDA_VISIBLE_DEVICES"
SMALL = {"time": "00:10:00", "cpus": 1, "memory": "500M", "host": "127.0.0.1"}
Start = Callable[..., Heard]


@pytest.fixture
def on_slurm(
    slurm: Cluster, opened: Callable[[Engine], Heard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Start:
    """Start an engine on the cluster."""
    monkeypatch.setattr(jobs, "TICK_SECONDS", 1.0)

    def start(workers: int, **settings: Any) -> Heard:
        engines = Engines.model_validate({"slurm": {**SMALL, **settings}})
        return opened(make_engine("slurm", engines, workers=workers, threads=1, folder=tmp_path))

    return start


def test_each_worker_of_two_nodes_sees_its_own_gpu(slurm: Cluster, on_slurm: Start) -> None:
    heard = on_slurm(4)
    slots = heard.slots(4)
    assert [slot.name for slot in slots] == [f"slurm-{number}-0" for number in range(4)]
    assert sorted((slot.node, slot.gpus) for slot in slots) == [("n1", "0"), ("n1", "1"), ("n2", "0"), ("n2", "1")]
    for slot in slots:
        heard.engine.submit(slot.name, slot, work.environment, [GPUS, "OMP_NUM_THREADS"])
        heard.engine.submit(f"{slot.name} talks", slot, work.talk, 2)
    for slot in slots:
        assert heard.end(slot.name).result == {GPUS: slot.gpus, "OMP_NUM_THREADS": "1"}
        assert heard.end(f"{slot.name} talks").result == [("answer", 0), ("answer", 1)]
    heard.engine.close()
    assert not slurm.jobs()


def test_workers_of_one_job_share_its_gpus(slurm: Cluster, on_slurm: Start) -> None:
    heard = on_slurm(3, gpus=2, workers_per_gpu=1)
    slots = heard.slots(3)
    assert [(slot.name, slot.gpus) for slot in slots] == [
        ("slurm-0-0", "0"), ("slurm-0-1", "1"), ("slurm-1-0", "0"),
    ]  # fmt: skip
    assert len(slurm.jobs()) == 2
    heard.engine.renew(slots[1])
    again = heard.slots(3)[1]
    assert (again.name, again.gpus, again.address == slots[1].address) == ("slurm-0-1", "1", False)
    assert len(slurm.jobs()) == 2


def test_preempted_jobs_come_back(slurm: Cluster, on_slurm: Start) -> None:
    heard = on_slurm(1, partition="debug")
    (slot,) = heard.slots(1)
    heard.engine.submit("a", slot, work.with_child)
    heard.first_report("a")
    whole = ["--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null"]
    slurm.run("sbatch", *whole, "--wrap=sleep 6")
    assert heard.end("a").lost
    (again,) = heard.slots(1)
    assert (again.name, again.address == slot.address) == (slot.name, False)


def test_a_cancelled_job_is_replaced(slurm: Cluster, on_slurm: Start) -> None:
    heard = on_slurm(1)
    (slot,) = heard.slots(1)
    heard.engine.submit("a", slot, work.with_child)
    heard.first_report("a")
    (job,) = slurm.jobs()
    slurm.scancel(job)
    began = time.monotonic()
    assert heard.end("a").lost
    assert time.monotonic() - began < 5
    (again,) = heard.slots(1)
    assert (again.name, again.address == slot.address) == (slot.name, False)
    assert job not in slurm.jobs()
    heard.engine.submit("b", again, work.talk, 1)
    assert heard.end("b").result == [("answer", 0)]


def test_a_node_without_power_is_done_without(slurm: Cluster, on_slurm: Start) -> None:
    heard = on_slurm(2)
    slots = heard.slots(2)
    assert {slot.node for slot in slots} == {"n1"}  # Slurm fills one node first
    for slot in slots:
        heard.engine.submit(slot.name, slot, work.with_child)
        heard.first_report(slot.name)
    slurm.power_off("n1")
    assert [heard.end(slot.name).lost for slot in slots] == [True, True]
    assert not heard.engine.slots()
    again = heard.slots(2, seconds=60)
    assert [(slot.name, slot.node) for slot in again] == [("slurm-0-0", "n2"), ("slurm-1-0", "n2")]
    heard.engine.submit("again", again[0], work.talk, 1)
    assert heard.end("again").result == [("answer", 0)]
    assert len(heard.ended) == 3


def test_workers_leave_before_the_time_limit_and_a_new_job_goes_on(
    slurm: Cluster, on_slurm: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slurm, "seconds", 10)  # Slurm itself has limits of whole minutes
    heard = on_slurm(1)
    (slot,) = heard.slots(1)
    (job,) = slurm.jobs()
    heard.engine.submit("a", slot, work.with_child)
    assert heard.end("a").lost
    (again,) = heard.slots(1)
    assert (again.name, again.address == slot.address) == (slot.name, False)
    assert "JobState=COMPLETED" in slurm.run("scontrol", "show", "job", job)
    assert job not in slurm.jobs()


def test_jobs_that_can_t_work_are_an_error(slurm: Cluster, on_slurm: Start, tmp_path: Path) -> None:
    with pytest.raises(TandemError, match=r"engines.slurm: expected sbatch to take a job; got .*nowhere.*"):
        on_slurm(1, partition="nowhere").until(lambda: False)
    with pytest.raises(
        TandemError, match=r"expected jobs whose workers connect; got 3 in a row that ended before; see .*logs; if they"
    ):
        on_slurm(1, setup=["exit 1"]).until(lambda: False)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_jobs_go_with_the_controller(slurm: Cluster, tmp_path: Path, number: signal.Signals) -> None:
    settings = json.dumps({"slurm": SMALL})
    home = tmp_path / "home"
    home.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.controller", str(tmp_path), "5", settings, "slurm"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert process.stdout is not None
    for _ in range(4):
        process.stdout.readline()
    assert sorted(slurm.jobs().values()) == ["", "n1", "n1", "n2", "n2"]  # one of the five waits
    began = time.monotonic()
    os.killpg(process.pid, number)
    assert process.wait(2) == (-number if number == signal.SIGKILL else 128 + number)
    assert process.communicate() == ("", "")
    assert not list(home.rglob("*"))  # where Dask would leave settings
    while slurm.jobs():
        assert time.monotonic() - began < 15
        time.sleep(0.1)


def test_an_address_that_is_not_this_machine_s_is_refused(opened: Callable[[Engine], Heard], tmp_path: Path) -> None:
    settings = Engines.model_validate({"slurm": {**SMALL, "host": "203.0.113.1"}})
    engine = make_engine("slurm", settings, workers=1, threads=1, folder=tmp_path)
    with pytest.raises(TandemError, match=r"host in params.yaml: expected an address of this machine; got 203.0.113.1"):
        opened(engine)
