"""How the code of a run differed from its commit, as the run has kept it."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.system.git import NO_CHANGES, changes_digest


@dataclass(frozen=True)
class Changes:
    """How the code differed from its commit.

    `diff` is empty if nothing did, or if that wasn't recorded: `missing` then says why. `untracked` names code that
    Git didn't know, which is never recorded.
    """

    diff: str
    missing: str
    untracked: str


def changes_of(tags: Mapping[str, str], diff: str) -> Changes:
    """Return the changes that a run kept, once they have the digest that it noted."""
    # Older versions noted no digest, and no names.
    digest = tags.get("git_changes", NO_CHANGES if tags["git_dirty"] == "false" else changes_digest(diff))
    untracked = tags.get("git_untracked", "none")
    if digest == NO_CHANGES:
        missing = "it notes changes, and has none" if tags["git_dirty"] == "true" and untracked == "none" else ""
        return Changes("", missing, untracked)
    if not diff or not diff.startswith("diff --git "):
        return Changes("", "TANDEM_LOG_GIT_DIFF=0 or their size kept them out", untracked)
    if changes_digest(diff) != digest:
        return Changes("", "those among its files are of another time: the sweep was resumed with others", untracked)
    return Changes(diff, "", untracked)
