"""`tandem ops`: single operations, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli import complete
from experiments.cli.common import load_project
from experiments.cli.output import Cell, JsonOption, show, table

if TYPE_CHECKING:
    from rich.table import Table


def ops(
    operations: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OPERATIONS",
            help="Names or groups of the table; by default, all.",
            autocompletion=complete.operations,
        ),
    ] = None,
    differ: Annotated[bool, typer.Option("--differ", help="Only those that don't give the same everywhere.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the table of all to docs/operations.md.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run single operations in NumPy, PyTorch, TensorFlow and Keras on the same input, and show where they differ.

    All of them together also go into reports/operations.json and the report.
    """
    project, params = load_project()
    from experiments.operations.choose import chosen
    from experiments.operations.content import content_of
    from experiments.operations.document import document
    from experiments.operations.run import run
    from experiments.reports.page.write import refresh_page
    from experiments.system.errors import TandemError
    from experiments.system.files import write_atomically, write_json

    if write and operations:
        raise TandemError("--write: expected no OPERATIONS, since docs/operations.md has all; got some; leave them out")
    asked = chosen(operations or [])
    content = content_of(run(asked))
    lines = [content["summary"]]
    if not operations:
        write_json(project.reports / "operations.json", content)
        refresh_page(project, params)
        lines.append("reports/operations.json")
    if write:
        write_atomically(project.root / "docs" / "operations.md", document(content))
        lines.append("docs/operations.md")
    rows = [row for row in content["operations"] if not (differ and row["same"])]
    hint = "Bold: differs from NumPy, and in what. Next: docs/operations.md says what counts as different."
    show({**content, "operations": rows}, _shown(rows), *lines, hint, as_json=as_json)


def _shown(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """Return a line for each operation with its inputs, and under it one for each library."""
    lines = [line for row in rows for line in _lines(row)]
    columns: dict[str, Cell] = {"": "what", "call": "call", "answer": "answer"}
    made = table(lines, columns, style=lambda line: "bold" if line["differs"] else None)
    for line, shown in zip(lines, made.rows, strict=True):
        shown.end_section = line["last"]
    return made


def _lines(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    inputs = [f"{name}: {value}" for name, value in row["inputs"].items()]
    yield {"what": row["operation"], "call": "", "answer": "\n".join(inputs), "differs": [], "last": False}
    for each in row["answers"]:
        why = f" ({', '.join(each['differs'])})" if each["differs"] else ""
        line = {"what": f"  {each['library']}", "call": each["call"], "answer": f"{each['answer']}{why}"}
        yield {**line, "differs": each["differs"], "last": each is row["answers"][-1]}
