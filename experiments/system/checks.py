"""What a check of the surroundings has found: a line of a table that says what to do."""

from dataclasses import dataclass
from typing import Literal, Self

from experiments.system.errors import TandemError
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
        """Return a problem; the message of an error of ours ends with what to do, after a semicolon."""
        message = one_line(error, LIMIT)
        found, _, remedy = message.rpartition("; ")
        if isinstance(error, TandemError) and found and not remedy.startswith("got "):
            return cls(what, "problem", found, remedy)
        kind = "" if isinstance(error, TandemError) else f"{type(error).__name__}: "
        return cls(what, "problem", kind + message, "look into this")
