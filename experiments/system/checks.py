"""What a check of the surroundings has found: a line of a table that says what to do."""

from dataclasses import dataclass
from typing import Literal, Self

from experiments.system.urls import one_line

# Of the characters of an error's message.
LIMIT = 1000
State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Check:
    """What was checked, and what was found; `remedy` says what to do where that isn't ok."""

    what: str
    state: State
    found: str
    remedy: str = ""

    @classmethod
    def of(cls, what: str, found: str, *, good: bool = True, remedy: str = "", otherwise: State = "problem") -> Self:
        """Return a check that is ok if it is `good`, and has the remedy only if it isn't."""
        return cls(what, "ok", found) if good else cls(what, otherwise, found, remedy)

    @classmethod
    def of_error(cls, what: str, error: BaseException) -> Self:
        """Return a problem: an error whose message, if it is one of ours, ends with what to do."""
        found, _, remedy = one_line(error, LIMIT).rpartition("; ")
        return cls(what, "problem", found or f"{type(error).__name__}: {remedy}", remedy if found else "")
