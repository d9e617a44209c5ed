"""Runs the operations: each framework in a process of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module

from experiments.frameworks import PACKAGES
from experiments.operations.answers import Answer, answer
from experiments.operations.compare import Difference, differences
from experiments.operations.operation import LIBRARIES, Library, Operation
from experiments.parity.sides import Side, run_once


@dataclass(frozen=True)
class Result:
    """An operation, and what each library that has such a call answers, in the order of `LIBRARIES`."""

    operation: Operation
    answers: dict[Library, Answer]

    @cached_property
    def differ(self) -> dict[Library, list[Difference]]:
        """In what each answer differs from that of NumPy or, where it has no such call, of the first library."""
        first = next(iter(self.answers.values()))
        return {library: differences(first, answer) for library, answer in self.answers.items()}

    @property
    def same(self) -> bool:
        """Whether all answers are the same."""
        return not any(self.differ.values())


def run(operations: Sequence[Operation]) -> list[Result]:
    """Run every call of the operations, and return what they answer, in the same order.

    Raises:
        TandemError: a process has ended, or a framework can't be imported.
    """
    sides = run_once("tandem ops", "the operations", answers_of, operations)
    found = {library: answers for side in sides.values() for library, answers in side.items()}
    return [
        Result(operation, {library: found[library][operation.name] for library in operation.calls})
        for operation in operations
    ]


def answers_of(side: Side, operations: Sequence[Operation]) -> dict[Library, dict[str, Answer]]:
    """Return what each library in the process of a framework answers, by the operation's name."""
    module = import_module(f"{PACKAGES[side.backend]}.operations")
    return {
        library: {
            each.name: answer(each.calls[library], module.NAMES[library], partial(module.tensor, library))
            for each in operations
            if library in each.calls
        }
        for library in LIBRARIES
        if library in module.NAMES
    }
