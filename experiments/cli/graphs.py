"""`tandem graphs`: parse, ask both frameworks, say where the answers are."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli import complete
from experiments.cli.common import load_project
from experiments.cli.output import Cell, JsonOption, show, table

if TYPE_CHECKING:
    from rich.table import Table


def graphs(
    chosen: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUESTIONS", help="By default, all.", autocompletion=complete.graph_questions),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write docs/graphs.md.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what becomes of small functions that are compiled: fused, broken, traced again, wrong.

    Eager, torch.compile, torch.export, tf.function and XLA, into reports/graphs.json. Takes half a minute.
    """
    project, params = load_project()
    from experiments.graphs.document import graphs_document, measured_with
    from experiments.graphs.questions import chosen_questions
    from experiments.graphs.run import ask_both, to_content
    from experiments.reports.page.write import refresh_page
    from experiments.system.errors import TandemError
    from experiments.system.files import write_atomically, write_json

    if write and chosen:
        raise TandemError("--write: expected no QUESTIONS, since docs/graphs.md has all; got some; leave them out")
    questions = chosen_questions(chosen or [])
    content = to_content(questions, ask_both(questions))
    files = []
    if not chosen:
        write_json(project.reports / "graphs.json", content)
        refresh_page(project, params)
        files.append("reports/graphs.json")
    if write:
        write_atomically(project.root / "docs" / "graphs.md", graphs_document(project.root, content))
        files.append("docs/graphs.md")
    tables = [part for question in content["questions"] for part in _parts(question)]
    next_one = "Next: docs/graphs.md has the functions, and how to read this; `tandem report` opens the page with it."
    show(content, *tables, measured_with(content), *files, next_one, as_json=as_json)


def _parts(question: dict[str, Any]) -> Iterator["Table | str"]:
    """Return a heading, and a table for each case: three columns fit a narrow terminal."""
    from experiments.graphs.document import ratio

    columns: dict[str, Cell] = {"run as": "way", "the framework reports": "reports", "answers": "answers"}
    if question["timed"]:
        columns["time / eager"] = lambda row: ratio(row["time"])
    yield f"\n{question['title']}".replace("`", "")
    for (function, calls), rows in groupby(question["rows"], lambda row: (row["case"], row["calls"])):
        made = table(list(rows), columns, style=lambda row: "bold" if row["outcome"] == "wrong" else None)
        made.title, made.title_justify = f"{function}, {calls}", "left"
        yield made
