"""What `tandem graphs` asks: each question a file of `graphs/` in both frameworks, each case a function in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.contract.graphs import Argument
from experiments.system.errors import TandemError

Call = tuple[Argument, ...]


@dataclass(frozen=True)
class Case:
    """A function, and the arguments of the calls to try.

    `calls_are` tells a reader what changes between them; `factors` are what the module's FACTOR is at each.
    """

    function: str
    calls: Sequence[Call]
    calls_are: str
    factors: Sequence[float] = ()


@dataclass(frozen=True)
class Question:
    """A file of functions; `timed`: their time is compared with that of eager calls."""

    key: str
    title: str
    cases: Sequence[Case]
    timed: bool = False


def _vectors(*rows: Sequence[float]) -> list[Call]:
    return [(np.array(row, np.float32),) for row in rows]


def _matrices(*shapes: tuple[int, ...]) -> list[Call]:
    random = np.random.default_rng(1)
    return [tuple(random.standard_normal(shape, np.float32) for shape in shapes)]


POSITIVE, NEGATIVE = (1, 2, 3), (-1, -2, -3)
SIGNS = _vectors(POSITIVE, NEGATIVE, POSITIVE)
NORMS = _vectors((0.5, 0.5, 0.5), (8, 8, 8), (100, 100, 100))
THREE = _vectors(POSITIVE, (2, 4, 6), (3, 6, 9))


def _with(*factors: Argument) -> list[Call]:
    return [(*call, factor) for call, factor in zip(THREE, factors, strict=True)]


QUESTIONS = (
    Question(
        "fusion",
        "Operator fusion",
        (
            Case("chain", _matrices((1000, 1000)), "1000×1000"),
            Case("waves", _matrices((1000, 1000)), "1000×1000"),
            Case("dense", _matrices((1000, 100), (100, 1000), (1000,)), "1000×100 @ 100×1000"),
        ),
        timed=True,
    ),
    Question(
        "data_dependent_if",
        "An `if` that depends on the data",
        (Case("python_if", SIGNS, "sum > 0, < 0, > 0"), Case("offered_if", SIGNS, "sum > 0, < 0, > 0")),
    ),
    Question(
        "data_dependent_loop",
        "A loop that depends on the data",
        (Case("python_loop", NORMS, "0, 4, 8 passes"), Case("offered_loop", NORMS, "0, 4, 8 passes")),
    ),
    Question(
        "breaks",
        "What breaks a graph",
        (
            Case("prints", THREE, "three values"),
            Case("reads_a_number", THREE, "three values"),
            Case("calls_numpy", THREE, "three values"),
            Case("numpy_as_operation", THREE, "three values"),
            Case("appends_to_a_list", THREE, "three values"),
            Case("draws_a_number", THREE, "three values"),
            Case("uses_a_global", THREE, "FACTOR 2, 2, 5", factors=(2, 2, 5)),
            Case("times", _with(2.0, 3.0, 4.0), "numbers 2, 3, 4"),
            Case(
                "times",
                _with(np.array(2, np.float32), np.array(3, np.float32), np.array(4, np.float32)),
                "tensors 2, 3, 4",
            ),
        ),
    ),
    Question(
        "shapes",
        "Shapes that change",
        (
            Case("double", _vectors(*([1.0] * size for size in (8, 9, 10, 11))), "lengths 8, 9, 10, 11"),
            Case("positive", _vectors((1, -1, 1), (1, 1, 1), (-1, -1, -1)), "2, 3, 0 of 3 positive"),
        ),
    ),
)


def chosen_questions(keys: Sequence[str]) -> Sequence[Question]:
    """Return the questions of these keys, all by default.

    Raises:
        TandemError: there is no such question.
    """
    known = {question.key: question for question in QUESTIONS}
    for key in keys:
        if key not in known:
            raise TandemError(f"QUESTIONS: expected some of {', '.join(known)}; got {key!r}; leave it out for all")
    return [question for key, question in known.items() if not keys or key in keys]
