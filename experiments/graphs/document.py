"""docs/graphs.md: the functions, included from their files, and what became of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from experiments.frameworks import PACKAGES
from experiments.graphs.notes import INTRODUCTION, NOTES

Content = Mapping[str, Any]
HEADER = ("function", "calls", "run as", "the framework reports", "answers")


def graphs_document(root: Path, content: Content) -> str:
    """Return the page of a checkout; `content` is that of reports/graphs.json."""
    return "\n".join([INTRODUCTION, measured_with(content) + "\n", *_questions(root, content)])


def measured_with(content: Content) -> str:
    """Return versions and machine in a sentence."""
    versions = " and ".join(f"{package} {number}" for package, number in content["versions"].items())
    return f"Measured with {versions} on the CPU ({content['machine']})."


def _questions(root: Path, content: Content) -> Iterator[str]:
    for question in content["questions"]:
        yield f"## {question['title']}\n\n{NOTES[question['key']]}\n"
        for package in PACKAGES.values():
            file = f"{package}/graphs/{question['key']}.py"
            yield f"`{file}`:\n\n```python\n{(root / file).read_text(encoding='utf-8').strip()}\n```\n"
        yield _table(question) + "\n"


def _table(question: Content) -> str:
    header = [*HEADER, *(["time / eager"] if question["timed"] else [])]
    rows = [_cells(row)[: len(header)] for row in question["rows"]]
    return tabulate(rows, header, tablefmt="pipe", disable_numparse=True)


def _cells(row: Content) -> Sequence[str]:
    told = row["reports"].replace("|", "\\|")
    answers = f"**{row['answers']}**" if row["outcome"] == "wrong" else row["answers"]
    return [
        f"`{row['case']}`",
        row["calls"],
        row["way"] if row["way"].endswith(", eager") else f"`{row['way']}`",
        told,
        answers,
        ratio(row["time"]),
    ]


def ratio(time: float | None) -> str:
    """Return a time as a ratio to eager."""
    return "" if time is None else f"{time:.2f}"
