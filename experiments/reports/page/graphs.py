"""What becomes of small functions that are compiled: what `tandem graphs` has left in reports/."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.reports.made_from import MadeFrom
from experiments.reports.page.section import Call, Section, Table
from experiments.system.files import read_json

COMMAND = "tandem graphs"
OUTCOMES = {"right": "right", "wrong": "wrong", "error": "an error", "not run": "not run"}
HEAD = ("function, calls", "run as: what the framework reports; its answers")


def graphs_section(reports: Path) -> Section:
    """Return a table for each question, and how many cases each way answers right, wrong and not at all."""
    file = reports / "graphs.json"
    if not file.is_file():
        return Section("graphs", "Graphs", [], COMMAND, answer=f"Not run yet: `{COMMAND}` does.")
    found, origin = read_json(file), MadeFrom(COMMAND)
    counts = _counts([row for question in found["questions"] for row in question["rows"]])
    rows = [[way, *(str(count[outcome]) for outcome in OUTCOMES)] for way, count in counts.items()]
    parts = [
        Table(("run as", *OUTCOMES.values()), rows, made_from=origin),
        *(_table(question, origin) for question in found["questions"]),
    ]
    most = max(count.total() for count in counts.values())
    wrong = ", ".join(f"`{way}` {count['wrong']}" for way, count in counts.items() if count.total() == most)
    versions = ", ".join(f"{package} {number}" for package, number in found["versions"].items())
    answer = (
        f"Does a compiled function answer as without compilation? Wrong without an error, of {most} cases: {wrong}. "
        f"With {versions}, on {found['machine']}."
    )
    return Section("graphs", "Graphs", parts, COMMAND, answer=answer)


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Return the outcomes of each way, without those that two cases alone are about, and without eager calls."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        if not row["way"].endswith(", eager"):
            counts.setdefault(row["way"], Counter())[row["outcome"]] += 1
    return {way: count for way, count in counts.items() if count.total() > 2} or counts


def _table(question: Mapping[str, Any], origin: MadeFrom) -> Table:
    head = (*HEAD, "time / eager") if question["timed"] else HEAD
    rows = [_cells(row)[: len(head)] for row in question["rows"]]
    return Table(head, rows, question["title"].replace("`", ""), folded=True, made_from=origin)


def _cells(row: Mapping[str, Any]) -> list[str | Call]:
    time = "" if row["time"] is None else f"{row['time']:.2f}"
    told = "; ".join(filter(None, (row["reports"], row["answers"])))
    # The answers aren't a column of their own: on a phone, it would be out of sight.
    return [Call(row["case"], row["calls"]), Call(row["way"], told, bold=row["outcome"] == "wrong"), time]
