"""What Git says of the checkout."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CODE = ("*.py", "params.yaml", "dvc.yaml", "data.dvc")
# More is no change of code, but data that was committed by mistake.
MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Checkout:
    """A commit, whether the code differs from it, and how, as far as that may be logged."""

    commit: str
    diff: str
    dirty: bool


def read_checkout(root: Path) -> Checkout:
    """Return the state of the checkout; outside Git, the commit is `none`.

    `diff` has the changes of tracked files. It is only a summary where they are too large, and empty with
    TANDEM_LOG_GIT_DIFF=0 in the environment. Code that Git doesn't track makes the checkout dirty, and is not in
    `diff`: nobody has asked to publish it. dvc.lock is left out: DVC writes it while the pipeline runs.
    """
    commit = _git(root, "rev-parse", "HEAD").strip()
    if not commit:
        return Checkout("none", "", dirty=False)
    changes = ("diff", "HEAD", "--", ".", ":!dvc.lock")
    diff = _git(root, *changes)
    dirty = bool(diff or _git(root, "ls-files", "--others", "--exclude-standard", "--", *CODE))
    if os.environ.get("TANDEM_LOG_GIT_DIFF") == "0":
        diff = ""
    elif len(diff) > MOST_CHARACTERS:
        summary = _git(root, *changes[:2], "--stat", *changes[2:])
        diff = f"{len(diff)} characters of changes, more than {MOST_CHARACTERS}: only a summary is logged\n{summary}"
    return Checkout(commit, diff, dirty)


def _git(root: Path, *words: str) -> str:
    """Return what a Git command prints, or nothing where there is no Git or no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return ""
    return done.stdout
