"""Single operations in four libraries: what `tandem ops` has left in reports/."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.reports.made_from import MadeFrom
from experiments.reports.page.section import Call, Section, Table
from experiments.system.files import read_json

COMMAND = "tandem ops"
LIBRARIES = ("NumPy", "PyTorch", "TensorFlow", "Keras")


def operations_section(reports: Path) -> Section:
    """Return the table of the operations; answers that differ are bold."""
    file = reports / "operations.json"
    if not file.is_file():
        return Section("operations", "Operations", [], COMMAND, answer=f"Not run yet: `{COMMAND}` does.")
    found = read_json(file)
    versions = ", ".join(f"{package} {version}" for package, version in found["versions"].items())
    head = ("operation", "input", *LIBRARIES, "differ", "group")
    rows = [_cells(row) for row in found["operations"]]
    table = Table(head, rows, f"All {len(rows)} operations, with {versions}", folded=True, made_from=MadeFrom(COMMAND))
    answer = f"Does the same operation give the same in every library? {found['summary']} Bold: differs from NumPy."
    return Section("operations", "Operations", [table], COMMAND, answer=answer)


def _cells(row: Mapping[str, Any]) -> list[str | Call]:
    answers = {each["library"]: each for each in row["answers"]}
    inputs = Call(", ".join(row["inputs"]), "; ".join(row["inputs"].values())) if row["inputs"] else ""
    differ = list(dict.fromkeys(each for answer in row["answers"] for each in answer["differs"]))
    shown = [_call(answers[library]) if library in answers else "–" for library in LIBRARIES]
    return [row["operation"], inputs, *shown, ", ".join(differ), row["group"]]


def _call(found: Mapping[str, Any]) -> Call:
    differs = f" ({', '.join(found['differs'])})" if found["differs"] else ""
    return Call(found["call"], f"{found['answer']}{differs}", bold=bool(differs))
