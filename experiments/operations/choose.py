"""Which operations a command is about."""

from collections.abc import Sequence
from difflib import get_close_matches

from experiments.operations.operation import Operation
from experiments.operations.table import GROUPS
from experiments.system.errors import TandemError


def names() -> list[str]:
    """Return all that can be asked for: the groups, and the operations."""
    return [*GROUPS, *(each.name for operations in GROUPS.values() for each in operations)]


def chosen(words: Sequence[str]) -> list[Operation]:
    """Return the operations that the words name, in the order of the table; all if there are no words.

    A word is a group, an operation, or the beginning of some up to a hyphen: `max` is `max-nan` too.

    Raises:
        TandemError: a word is none of them.
    """
    for word in words:
        if not any(_means(word, group, each) for group, operations in GROUPS.items() for each in operations):
            close = " or ".join(get_close_matches(word, names(), 3))
            advice = f"did you mean {close}?" if close else "`tandem ops` shows all"
            raise TandemError(
                f"OPERATIONS: expected operations, or groups ({', '.join(GROUPS)}); got {word!r}; {advice}"
            )
    return [
        each
        for group, operations in GROUPS.items()
        for each in operations
        if not words or any(_means(word, group, each) for word in words)
    ]


def _means(word: str, group: str, operation: Operation) -> bool:
    return word == group or f"{operation.name}-".startswith(f"{word}-")
