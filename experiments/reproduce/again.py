"""Commands of the worktree's own code, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from experiments.reproduce.record import Record
from experiments.system.errors import TandemError

# The worktree has a store, checkpoints and settings of its own.
DROPPED = ("DVC_", "MLFLOW_", "TANDEM_", "GIT_")
STOP_SECONDS = 30


def command_of(record: Record) -> list[str]:
    """Return the words after `tandem` that train a record's training, as the worktree has it.

    A trial is trained as a trial: without the test set.
    """
    if record.trial is None:
        return ["train", *str(record.key).split()]
    epochs = record.trial.epochs
    stop = ["--epochs", str(epochs)] if epochs else []
    return ["trial", *str(record.key).split(), "--objective", record.trial.objective, *stop]


def call(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the worktree's, and return what it says."""
    return subprocess.run(
        _python(*words), cwd=root, env=_environment(root), capture_output=True, text=True, check=False
    )


def train(root: Path, record: Record) -> None:
    """Train in the worktree, in a process whose progress is shown; it ends if this one does.

    Raises:
        TandemError: it fails, and has said why.
    """
    process = subprocess.Popen(
        _python(*command_of(record)), cwd=root, env=_environment(root), stdout=subprocess.DEVNULL
    )
    try:
        code = process.wait()
    finally:
        _end(process)
    if code != 0:
        raise TandemError(
            f"RUN: expected `tandem {' '.join(command_of(record))}` to train in the worktree; got exit code {code}; "
            "it says why, above; --keep leaves the worktree to look at"
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.terminate()  # a Ctrl-C reaches both, and this one is no second wish
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _python(*words: str) -> list[str]:
    return [sys.executable, "-m", "experiments", *words]


def _environment(root: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Under a stage's name, the process ends with its parent, even if that is killed.
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "DVC_STAGE": "reproduce"}
