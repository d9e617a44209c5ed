"""A checkout of a run's commit beside the user's, with the changes and the settings that the run had."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.reproduce.record import Record
from experiments.settings.edit import ABSENT, set_values, value_of
from experiments.settings.project import Project
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.system.git import run_git

# A hook of the user's, such as DVC's, would work on the new checkout.
ADD = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach")
LOCK = ".lock"


@dataclass
class Worktree:
    """The folder of the project in a worktree; `keep`: leave it where it is in the end."""

    root: Path
    keep: bool = False


@contextmanager
def checked_out(project: Project, record: Record) -> Iterator[Worktree]:
    """Yield a new worktree at the run's commit, removed in the end; what a killed process has left is removed too.

    Raises:
        TandemError: Git can't check it out.
    """
    project.reproductions.mkdir(parents=True, exist_ok=True)
    _remove_left(project)
    inside = run_git(project.root, "rev-parse", "--show-prefix")[1].strip()  # the project may be a part of a repository
    folder = project.reproductions.resolve() / f"{record.key.label}-{uuid.uuid4().hex[:8]}"
    tree, lock = Worktree(folder / inside), folder.with_suffix(LOCK)
    with FileLock(lock):
        try:
            done, _, error = run_git(project.root, *ADD, str(folder), record.commit)
            if not done:
                raise TandemError(f"{folder}: expected `git worktree add` to succeed; got: {_end(error)}")
            yield tree
        finally:
            if not tree.keep:
                _remove(project, folder)
            lock.unlink(missing_ok=True)  # what has no lock is kept


def _remove_left(project: Project) -> None:
    for lock in project.reproductions.glob(f"*{LOCK}"):
        with suppress(Timeout), FileLock(lock, timeout=0):  # its process has ended
            _remove(project, lock.with_suffix(""))
            lock.unlink(missing_ok=True)


def _remove(project: Project, folder: Path) -> None:
    """Delete a worktree, and let Git forget this one alone: `git worktree prune` would forget others that are away."""
    shutil.rmtree(folder, ignore_errors=True)
    run_git(project.root, "worktree", "remove", "--force", str(folder))


def apply_changes(root: Path, diff: str) -> str:
    """Apply a diff of the whole repository; return what Git says against it. Binary files are left as they are."""
    top = Path(run_git(root, "rev-parse", "--show-toplevel")[1].strip())
    counts = run_git(top, "apply", "--numstat", "-z", "-", given=diff)[1]
    binary = [line.removeprefix("-\t-\t") for line in counts.split("\0") if line.startswith("-\t-\t")]
    words = ("apply", "--whitespace=nowarn", *(f"--exclude={name}" for name in binary), "-")
    done, _, error = run_git(top, *words, given=diff)
    return "" if done else _end(error) or "no reason"


def write_settings(root: Path, record: Record, *, threads: int, device: str) -> None:
    """Write params.yaml as it was, with the settings, threads and device that the training had.

    Raises:
        TandemError: the recorded file lacks the recipe, or can't be read.
    """
    file = root / "params.yaml"
    file.write_bytes(record.params.encode())
    recipe = record.key.recipe
    values: dict[tuple[str, ...], object] = {
        ("recipes", recipe, name): value_of(text) for name, text in record.settings.items()
    }
    # A trial may lack what its recipe has: a momentum, where its optimiser is another.
    for name in set(Recipe.model_fields) - set(record.settings):
        values["recipes", recipe, name] = ABSENT
    values |= {("train", "recipes"): [recipe], ("train", "threads"): threads, ("train", "device"): device}
    if record.log_every_steps:
        values["train", "log_every_steps"] = int(record.log_every_steps)
    set_values(file, values)


def _end(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
