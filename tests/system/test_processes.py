import os
import subprocess
import sys
import time
from dataclasses import replace

from experiments.system.processes import ProcessId


def test_a_process_is_alive_until_it_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mark = ProcessId(ProcessId.own().host, process.pid, time.time())
    assert mark.is_alive()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert not mark.is_alive()
    process.wait()
    assert not mark.is_alive()


def test_a_number_that_another_process_was_given_is_not_taken_for_it() -> None:
    own = ProcessId.own()
    assert own.is_alive()
    assert not replace(own, started=own.started - 100).is_alive()


def test_a_mark_is_read_from_numbers_and_texts() -> None:
    assert ProcessId.read({"host": "a", "pid": "7", "started": "12.50"}) == ProcessId("a", 7, 12.5)
    assert not ProcessId("another", 7, 12.5).is_local
    assert ProcessId.own().is_local
