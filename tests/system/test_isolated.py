"""A function in a process of its own: its result, its failure, its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess, JobFailed
from tests.conftest import ROOT


class NotPicklable(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first}\nand {second}")
        self.handle = lambda: None


def fail(error: str) -> None:
    raise {"own": NotPicklable(1, 2), "tandem": TandemError("no GPU"), "disk": OSError(28, "No space left")}[error]


def end(words: str) -> None:
    print(words, flush=True)
    os._exit(3)


def hold(file: Path) -> None:
    file.write_text(str(os.getpid()))
    time.sleep(600)


def test_every_function_runs_in_the_same_other_process() -> None:
    with IsolatedProcess("test: the") as process:
        first, second = process.call(os.getpid), process.call(os.getpid)
    assert first == second != os.getpid()


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("own", JobFailed, "NotPicklable: 1 and 2"),
        ("tandem", TandemError, "no GPU"),
        ("disk", TandemError, "No space left"),
    ],
)
def test_an_exception_arrives_as_one_line(error: str, kind: type[Exception], message: str) -> None:
    with IsolatedProcess("test: the") as process:
        with pytest.raises(kind, match=f"{message}$") as raised:
            process.call(fail, error)
        assert "\n" not in str(raised.value)
        assert process.call(abs, -1) == 1


def test_output_stays_off_the_screen_and_is_told_when_the_process_ends(capfd: pytest.CaptureFixture[str]) -> None:
    with IsolatedProcess("test: the other") as process:
        process.call(print, "hello", flush=True)
        assert process.output() == "hello\n"
        for _ in range(2):  # the call during which it ends, and the next
            with pytest.raises(TandemError, match=r"^test: the other process ended \(no more\); repeat the command$"):
                process.call(end, "no more")
    assert capfd.readouterr() == ("", "")


def test_leaving_kills_a_process_at_work(tmp_path: Path) -> None:
    with IsolatedProcess("test: the") as process:
        process.submit(hold, tmp_path / "pid")
        pid = wait_for(tmp_path / "pid")
    assert not psutil.pid_exists(pid)


PARENT = """
import os, sys
from pathlib import Path
from experiments.system.errors import Stopped
from experiments.system.isolated import IsolatedProcess
from experiments.system.stopping import raise_on_signals
from tests.system.test_isolated import hold

try:
    raise_on_signals()
    Path(sys.argv[1], "started").write_text(str(os.getpid()))
    with IsolatedProcess("test: the") as process:
        process.call(hold, Path(sys.argv[1], "pid"))
except Stopped as stopped:  # as the command line does
    os._exit(stopped.exit_code)
"""


def parent_of_a_process(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PARENT, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_process_ends_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    with parent_of_a_process(tmp_path) as parent:
        child = psutil.Process(wait_for(tmp_path / "pid"))
        parent.send_signal(number)
        assert parent.communicate(timeout=20)[1] == ""
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running()


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.04, 0.06, 0.1, 0.2, 0.4, 0.8])
def test_ctrl_c_prints_nothing_at_any_moment(tmp_path: Path, seconds: float) -> None:
    with parent_of_a_process(tmp_path) as parent:
        wait_for(tmp_path / "started")
        time.sleep(seconds)
        os.killpg(parent.pid, signal.SIGINT)  # to the whole group, as a terminal does
        assert parent.communicate(timeout=20)[1] == ""
    assert parent.returncode == 130


def wait_for(file: Path) -> int:
    while not (file.is_file() and file.read_text()):
        time.sleep(0.02)
    return int(file.read_text())
