"""What a run's tags say of its uncommitted changes."""

import pytest

from experiments.reproduce.changes import changes_of
from experiments.system.git import changes_digest

DIFF = "diff --git a/x.py b/x.py\n"


@pytest.mark.parametrize(
    ("tags", "diff", "applied", "missing"),
    [
        ({"git_dirty": "false", "git_changes": "none"}, "", "", ""),
        # A resumed run whose changes were committed meanwhile keeps the file of the first time.
        ({"git_dirty": "false", "git_changes": "none"}, DIFF, "", ""),
        ({"git_dirty": "true", "git_changes": changes_digest(DIFF)}, DIFF, DIFF, ""),
        ({"git_dirty": "true", "git_changes": changes_digest(DIFF)}, "", "", "TANDEM_LOG_GIT_DIFF=0"),
        ({"git_dirty": "true", "git_changes": changes_digest("x" * 9)}, "9 characters of changes", "", "their size"),
        ({"git_dirty": "true", "git_changes": changes_digest("another")}, DIFF, "", "of another time"),
        ({"git_dirty": "true", "git_changes": "none", "git_untracked": "new.py"}, "", "", ""),
        # Of an older version:
        ({"git_dirty": "false"}, "", "", ""),
        ({"git_dirty": "true"}, DIFF, DIFF, ""),
        ({"git_dirty": "true"}, "", "", "it notes changes, and has none"),
    ],
)
def test_changes_are_those_that_the_run_noted(tags: dict[str, str], diff: str, applied: str, missing: str) -> None:
    changes = changes_of(tags, diff)
    assert changes.diff == applied
    assert missing in changes.missing
    assert bool(missing) == bool(changes.missing)
    assert changes.untracked == tags.get("git_untracked", "none")
