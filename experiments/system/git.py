"""What Git says of the checkout."""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CODE = ("*.py", "params.yaml", "dvc.yaml", "data.dvc")
# More is no change of code, but data that was committed by mistake.
MOST_CHARACTERS = 1_000_000
# Whatever the user has configured: a diff that `git apply` takes.
DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--src-prefix=a/", "--dst-prefix=b/")
NO_CHANGES = "none"
# Git sets these for a hook's commands: they would have commands elsewhere work on the wrong repository.
_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True)
class Checkout:
    """A commit, whether the code differs from it, and how, as far as that may be logged.

    `changes` is the digest of all changes, logged or not; `untracked` names the code that Git doesn't know.
    """

    commit: str
    diff: str
    dirty: bool
    changes: str = NO_CHANGES
    untracked: tuple[str, ...] = ()


def read_checkout(root: Path) -> Checkout:
    """Return the state of the checkout; outside Git, the commit is `none`.

    `diff` has the changes of tracked files. It is only a summary where they are too large, and empty with
    TANDEM_LOG_GIT_DIFF=0 in the environment, which leaves out names too. Code that Git doesn't track makes the checkout
    dirty, and is not in `diff`: nobody has asked to publish it. dvc.lock is left out: DVC writes it while the pipeline
    runs.
    """
    commit = _git(root, "rev-parse", "HEAD").strip()
    if not commit:
        return Checkout("none", "", dirty=False)
    changes = ("HEAD", "--", ".", ":!dvc.lock")
    diff = _git(root, *DIFF, *changes)
    known = changes_digest(diff)
    others = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *CODE)
    untracked = tuple(name for name in others.split("\0") if name)
    if os.environ.get("TANDEM_LOG_GIT_DIFF") == "0":
        diff, untracked = "", (f"{len(untracked)} file(s)",) if untracked else ()
    elif len(diff) > MOST_CHARACTERS:
        summary = _git(root, *DIFF, "--stat", *changes)
        diff = f"{len(diff)} characters of changes, more than {MOST_CHARACTERS}: only a summary is logged\n{summary}"
    return Checkout(commit, diff, known != NO_CHANGES or bool(untracked), known, untracked)


def changes_digest(diff: str) -> str:
    """Return a digest of a diff, 16 hexadecimal digits; `none` for an empty one."""
    return hashlib.sha256(diff.encode()).hexdigest()[:16] if diff else NO_CHANGES


def _git(root: Path, *words: str) -> str:
    return run_git(root, *words)[1]


def run_git(folder: Path, *words: str, given: str = "") -> tuple[bool, str, str]:
    """Return whether a Git command succeeds there, and what it prints on standard output and standard error.

    `given` is its standard input. Without Git, it fails. A line's end is as in the file.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, env=environment, input=given.encode(), capture_output=True, check=False
        )
    except FileNotFoundError:
        return False, "", "git is not installed"
    return done.returncode == 0, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
