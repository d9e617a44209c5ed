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


def test_ctrl_c_is_blocked_from_the_first_moment() -> None:
    with IsolatedProcess("test: the") as process:
        assert signal.SIGINT in process.call(signal.pthread_sigmask, signal.SIG_BLOCK, [])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_leaving_kills_a_process_at_work(tmp_path: Path) -> None:
    with IsolatedProcess("test: the") as process:
        process.submit(hold, tmp_path / "pid")
        pid = wait_for(tmp_path / "pid")
    assert not psutil.pid_exists(pid)


PARENT = """
import sys
from pathlib import Path
from experiments.system.isolated import IsolatedProcess
from experiments.system.stopping import raise_on_signals
from tests.system.test_isolated import hold

raise_on_signals()
with IsolatedProcess("test: the") as process:
    process.call(hold, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_process_ends_with_its_parent_and_without_a_word(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "pid")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        pid = wait_for(tmp_path / "pid")
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)  # as a terminal does
        else:
            parent.send_signal(number)
        _, errors = parent.communicate(timeout=20)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    assert not psutil.pid_exists(pid)
    assert "SpawnProcess" not in errors
    assert "KeyboardInterrupt" not in errors


def wait_for(file: Path) -> int:
    while not (file.is_file() and file.read_text()):
        time.sleep(0.02)
    return int(file.read_text())
