"""A case in one way: called several times, and held against the same calls without compilation."""

import io
import random
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from experiments.contract.graphs import Compiled, Function, Graphs, Report, Way, times
from experiments.contract.weights import FloatArray
from experiments.graphs.questions import Case
from experiments.system.errors import TandemError

# float32 sums of a hundred products, added in another order.
TOLERANCE = 1e-4
LONGEST = 110


@dataclass
class Attempt:
    """What the calls of a case gave in one way.

    `effects` are the lines that were printed and the entries that were appended; `error` why a call failed.
    """

    answers: list[FloatArray] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    report: Report = field(default_factory=lambda: Report(""))
    error: str = ""
    missing: str = ""
    compiled: Compiled | None = None


@dataclass(frozen=True)
class Trial:
    """A case as it is tried in a framework: the module that has its function, and the framework's side."""

    case: Case
    module: ModuleType
    framework: Graphs

    @property
    def function(self) -> Function:
        """The function of the case."""
        function: Function = getattr(self.module, self.case.function)
        return function

    def calls(self) -> list[list[Any]]:
        """Return the arguments of each call, arrays as tensors."""
        change = self.framework.to_tensor
        return [[change(each) if isinstance(each, np.ndarray) else each for each in call] for call in self.case.calls]

    def eager(self) -> Attempt:
        """Call the function as it is."""
        attempt = Attempt()
        self._call(attempt, lambda example: self.function)
        return attempt

    def attempt(self, way: Way) -> Attempt:
        """Compile the function in a way, and call it."""
        attempt = Attempt()

        def compiled(example: Sequence[Any]) -> Function:
            attempt.compiled = way.compile(self.function, example)
            return attempt.compiled.run

        try:
            self._call(attempt, compiled)
        except TandemError as error:
            attempt.missing = str(error)
        except Exception as error:
            attempt.error = f"{type(error).__name__}: {first_sentence(self.framework.reason(error))}"
        if attempt.compiled is not None and attempt.answers:
            attempt.report = attempt.compiled.report()
        return attempt

    def _call(self, attempt: Attempt, compiled: Callable[[Sequence[Any]], Function]) -> None:
        calls = self.calls()
        appended: list[str] = getattr(self.module, "CALLS", [])
        appended.clear()
        random.seed(1)
        run = None
        with redirect_stdout(io.StringIO()) as printed:
            for number, call in enumerate(calls):
                if self.case.factors:
                    vars(self.module)["FACTOR"] = self.case.factors[number]
                run = run or compiled(calls[0])
                attempt.answers.append(self.framework.to_array(run(*call)))
        attempt.effects = [*printed.getvalue().splitlines(), *appended]


def verdict(attempt: Attempt, eager: Attempt) -> str:
    """Return `right`, what is wrong, or nothing where no call answered."""
    for number, (got, expected) in enumerate(zip(attempt.answers, eager.answers, strict=False), 1):
        if got.shape != expected.shape:
            return f"WRONG: call {number} gave shape {got.shape}, eager {expected.shape}"
        apart = ~np.isclose(got, expected, TOLERANCE, TOLERANCE, equal_nan=True)
        if apart.any():
            return f"WRONG: call {number} gave {got[apart][0]:.3g}, eager {expected[apart][0]:.3g}"
    if attempt.error or attempt.missing:
        return "right before the error" if attempt.answers else ""
    if len(attempt.effects) != len(eager.effects):
        return f"WRONG: side effect {times(len(attempt.effects))}, eager {times(len(eager.effects))}"
    if attempt.effects != eager.effects:
        return f"WRONG: printed {attempt.effects[0]}, eager {eager.effects[0]}"
    return "right"


def first_sentence(message: str) -> str:
    """Return the beginning of a message that says most of it."""
    sentence = re.split(r"\.\s|\s{2,}", message.strip(), maxsplit=1)[0].rstrip(".")
    return sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…"
