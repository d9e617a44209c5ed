import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from experiments.system.processes import ProcessId

TELL_AND_SLEEP = """
import json, time
from dataclasses import asdict
from experiments.system.processes import ProcessId
print(json.dumps(asdict(ProcessId.own())), flush=True)
time.sleep(60)
"""


def test_a_process_is_alive_until_it_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", TELL_AND_SLEEP], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    other = ProcessId.read(json.loads(process.stdout.readline()))
    assert other.pid == process.pid
    assert other.liveness() == "alive"
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert other.liveness() == "gone"
    process.wait()
    assert other.liveness() == "gone"


def test_a_pid_that_another_process_was_given_is_not_taken_for_it() -> None:
    own = ProcessId.own()
    assert own.liveness() == "alive"
    assert replace(own, started="0").liveness() == "gone"


@pytest.mark.parametrize("change", [{"boot_id": "another"}, {"pid_namespace": "pid:[1]"}])
def test_a_process_of_another_boot_or_container_is_unknown(change: dict[str, str]) -> None:
    """The host's name may be the same: two containers, or a laptop before and after a reboot."""
    assert ProcessId.read({**asdict(ProcessId.own()), "pid": 1 << 30, **change}).liveness() == "unknown"


def test_neither_the_clock_nor_the_host_name_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ProcessId.own()
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: 0.0)
    monkeypatch.setattr(socket, "gethostname", lambda: "renamed")
    assert own.liveness() == "alive"


def test_a_process_that_may_not_be_looked_at_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `hidepid`, which hides other users' folders in /proc."""

    def hidden(path: Path, **options: object) -> str:
        raise FileNotFoundError(path)

    own = ProcessId.own()
    ended = subprocess.Popen(["true"])
    ended.wait()
    monkeypatch.setattr(Path, "read_text", hidden)
    assert own.liveness() == "unknown"
    assert replace(own, pid=ended.pid).liveness() == "gone"


def test_an_identity_is_read_from_json_and_from_texts() -> None:
    own = ProcessId.own()
    assert ProcessId.read(json.loads(json.dumps(asdict(own)))) == own
    assert ProcessId.read({name: str(value) for name, value in asdict(own).items()}) == own
    assert ProcessId.read({"host": "an older version's", "pid": "1"}).liveness() == "unknown"
