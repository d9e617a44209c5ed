"""What a check of the surroundings has found: a line of a table that says what to do."""

from dataclasses import dataclass
from typing import Literal, Self

from experiments.system.errors import TandemError
from experiments.system.urls import one_line

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
    def of_error(cls, what: str, error: BaseException, remedy: str = "look into this") -> Self:
        """Return a problem; `remedy` is for an error that has no advice of its own."""
        if isinstance(error, TandemError):
            return cls(what, "problem", error.problem, error.advice or remedy)
        return cls(what, "problem", f"{type(error).__name__}: {one_line(error)}", remedy)
