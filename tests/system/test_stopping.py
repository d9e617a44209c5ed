import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Prints how it ended; stands for a stage.
STAGE = """
import sys, time
from experiments.system.errors import Stopped
from experiments.system.stopping import raise_on_signals
raise_on_signals()
try:
    print("ready", flush=True)
    time.sleep(60)
except Stopped as stopped:
    open(sys.argv[1], "w").write(str(stopped.exit_code))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, "143"), (signal.SIGINT, "130")])
def test_a_signal_ends_a_stage_with_its_code(tmp_path: Path, number: signal.Signals, code: str) -> None:
    told = tmp_path / "told"
    process = subprocess.Popen([sys.executable, "-c", STAGE, str(told)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    process.communicate(timeout=20)
    assert told.read_text() == code


def test_a_stage_ends_when_the_dvc_that_started_it_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    # Stands for DVC: starts a stage and waits.
    parent = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); child.wait()"
    )
    command = [sys.executable, "-c", parent, STAGE, str(told)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "DVC_STAGE": "train"})
    assert process.stdout is not None
    int(process.stdout.readline())
    process.kill()
    process.communicate()
    for _ in range(100):
        if told.exists() and told.read_text():
            break
        time.sleep(0.1)
    assert told.read_text() == "143"


TWICE = (
    STAGE
    + """
    print("closing", flush=True)
    time.sleep(0.5)
    open(sys.argv[1], "a").write(" closed")
"""
)


def _signal_twice(told: Path, second: signal.Signals, **environment: str) -> int:
    """Return the exit code of a process that gets SIGINT, and another signal while it closes."""
    command = [sys.executable, "-c", TWICE, str(told)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "closing\n"
    process.send_signal(second)
    return process.wait(10)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(tmp_path: Path, second: signal.Signals) -> None:
    assert _signal_twice(tmp_path / "told", second) == 128 + second
    assert (tmp_path / "told").read_text() == "130"


def test_a_ctrl_c_that_the_parent_passes_on_does_not_disturb_the_closing(tmp_path: Path) -> None:
    """It reaches a whole group of processes, and DVC stops its stage besides."""
    assert _signal_twice(tmp_path / "told", signal.SIGTERM, DVC_STAGE="train") == 0
    assert (tmp_path / "told").read_text() == "130 closed"
    assert _signal_twice(tmp_path / "told", signal.SIGINT, DVC_STAGE="train") == 130


LOST = """
import gc, os, signal
from experiments.system.errors import Stopped
from experiments.system.stopping import raise_if_asked, raise_on_signals
raise_on_signals()
raise_if_asked()
callback = lambda phase, info: os.kill(os.getpid(), signal.SIGTERM) if phase == "start" else None
gc.callbacks.append(callback)
gc.collect()
gc.callbacks.remove(callback)
try:
    raise_if_asked()
except Stopped as stopped:
    print(stopped.exit_code)
"""


def test_a_signal_whose_exception_is_lost_is_raised_later() -> None:
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=True)
    assert "Exception ignored in" in done.stderr
    assert done.stdout == "143\n"
