"""What Git says of the checkout."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    """A commit, and how the files differ from it (empty: they do not)."""

    commit: str
    diff: str

    @property
    def dirty(self) -> bool:
        """Whether a file differs from the commit."""
        return bool(self.diff)


CODE = ("*.py", "params.yaml", "dvc.yaml", "data.dvc")


def read_checkout(root: Path) -> Checkout:
    """Return the state of the checkout; outside Git, the commit is `none`.

    The difference includes code that Git does not track yet. dvc.lock is left out: DVC writes it while the pipeline
    runs.
    """
    commit = _git(root, "rev-parse", "HEAD").strip()
    if not commit:
        return Checkout("none", "")
    diff = _git(root, "diff", "HEAD", "--", ".", ":!dvc.lock")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *CODE)
    for name in filter(None, new.split("\0")):
        diff += _git(root, "diff", "--no-index", "--", "/dev/null", name)
    return Checkout(commit, diff)


def _git(root: Path, *words: str) -> str:
    """Return what a Git command prints, or nothing where there is no Git or no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return ""
    return done.stdout  # `git diff --no-index` prints the difference and exits with 1
