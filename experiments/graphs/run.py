"""`tandem graphs`: the questions put to both frameworks, one after the other."""

import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.frameworks import PACKAGES
from experiments.graphs.job import Row, ask
from experiments.graphs.questions import Question
from experiments.settings.recipe import BackendName
from experiments.system.console import say
from experiments.system.environment import cpu_name
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess, JobFailed

FILES = {name: f"{package}.graphs" for name, package in PACKAGES.items()}


def ask_both(questions: Sequence[Question], files: Mapping[BackendName, str] = FILES) -> list[Row]:
    """Return the rows of both frameworks; `files` are the packages with the functions, by backend.

    Not at the same time: they would share the processor, and times are compared.

    Raises:
        TandemError: a framework can't be asked, or its process has ended.
    """
    rows: list[Row] = []
    for name, package in PACKAGES.items():
        say(f"graphs: {', '.join(question.key for question in questions)} in {package}")
        with IsolatedProcess(f"graphs: the {name}") as process, tempfile.TemporaryDirectory() as folder:
            try:
                rows += process.call(ask, package, files[name], questions, Path(folder))
            except JobFailed as error:
                raise TandemError(f"graphs: {name} can't be asked: {error}; see `tandem doctor`") from None
    return rows


def to_content(questions: Sequence[Question], rows: Sequence[Row]) -> dict[str, Any]:
    """Return the rows of each question, with versions and machine, as `reports/graphs.json` has them."""
    return {
        "versions": {package: version(package).partition("+")[0] for package in ("torch", "tensorflow")},
        "machine": f"{cpu_name()}, 1 thread",
        "questions": [
            {
                "key": question.key,
                "title": question.title,
                "timed": question.timed,
                "rows": [vars(row) for row in side_by_side(question, rows)],
            }
            for question in questions
        ],
    }


def side_by_side(question: Question, rows: Sequence[Row]) -> list[Row]:
    """Return the rows of a question, case by case: the frameworks' rows of a case one after the other."""
    cases = [(case.function, case.calls_are) for case in question.cases]
    own = [row for row in rows if row.question == question.key]
    return sorted(own, key=lambda row: cases.index((row.case, row.calls)))
