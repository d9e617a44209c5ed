"""What Git says of the checkout."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    """A commit, and how the tracked files differ from it (empty: they do not)."""

    commit: str
    diff: str

    @property
    def dirty(self) -> bool:
        """Whether a tracked file differs from the commit."""
        return bool(self.diff)


def read_checkout(root: Path) -> Checkout:
    """Return the state of the checkout; outside Git, the commit is `none`.

    dvc.lock is left out of the difference: DVC writes it while the pipeline runs.
    """
    commit = _git(root, "rev-parse", "HEAD").strip()
    return Checkout(commit or "none", _git(root, "diff", "HEAD", "--", ".", ":!dvc.lock") if commit else "")


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""
    return done.stdout
