"""The questions put to one framework, in a process of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Literal, cast

from experiments.contract.graphs import Function, Graphs
from experiments.graphs.attempt import Attempt, Trial, verdict
from experiments.graphs.questions import Question

ROUNDS, CALLS = 11, 4
Outcome = Literal["right", "wrong", "error", "not run"]


@dataclass(frozen=True)
class Row:
    """A case in one way.

    `answers` says in words how the answers compare with eager ones, `outcome` in one; `time` is the processor time of a
    call as a ratio to an eager call's, in the same process.
    """

    question: str
    case: str
    calls: str
    framework: str
    way: str
    reports: str
    answers: str
    outcome: Outcome
    counts: dict[str, int] = field(default_factory=dict)
    time: float | None = None


def ask(package: str, files: str, questions: Sequence[Question], folder: Path) -> list[Row]:
    """Return a row for each case of the questions in each way that a framework's package has.

    `files` is the package with the functions; the folder, an empty one, takes logs.
    """
    import_module(f"{package}.graphs.process").prepare(folder)
    framework = cast(Graphs, import_module(f"{package}.graphs.ways"))
    rows = []
    for question in questions:
        module = import_module(f"{files}.{question.key}")
        for case in question.cases:
            trial = Trial(case, module, framework)
            eager = trial.eager()
            for way in framework.WAYS[question.key]:
                attempt = trial.attempt(way)
                ratio = against_eager(trial, attempt) if question.timed and not attempt.missing else None
                names = (question.key, case.function, case.calls_are, framework.NAME, way.name)
                rows.append(_row(names, attempt, verdict(attempt, eager), ratio))
    return rows


def _row(names: tuple[str, str, str, str, str], attempt: Attempt, answers: str, ratio: float | None) -> Row:
    parts = [attempt.report.words] if attempt.report.words else []
    if attempt.error:
        parts.append(f"error{f' at call {len(attempt.answers) + 1}' if attempt.answers else ''}: {attempt.error}")
    if attempt.missing:
        parts.append(f"not run: {attempt.missing}")
    return Row(*names, "; ".join(parts), answers, _outcome(attempt, answers), dict(attempt.report.counts), ratio)


def _outcome(attempt: Attempt, answers: str) -> Outcome:
    if answers.startswith("WRONG"):
        return "wrong"
    if attempt.missing:
        return "not run"
    return "error" if attempt.error else "right"


def against_eager(trial: Trial, attempt: Attempt) -> float | None:
    """Return the time of a call as a ratio to an eager one, each the shortest of a few in a row: the median of rounds.

    In a row, since the first call finds the caches and the heap as the other has left them; in rounds, since a machine
    is faster in one second than in the next. Processor time, on one thread: what else runs there takes none of it.
    """
    if attempt.compiled is None or attempt.error:
        return None
    (call,) = trial.calls()
    both = (attempt.compiled.run, trial.function)
    rounds = [[min(_seconds(function, call) for _ in range(CALLS)) for function in both] for _ in range(ROUNDS)]
    return median(compiled / eager for compiled, eager in rounds)


def _seconds(function: Function, call: Sequence[Any]) -> float:
    began = time.process_time()
    function(*call)
    return time.process_time() - began
