"""The command that runs one small computation at every level of both APIs."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.common import load_project
from experiments.cli.output import Cell, JsonOption, Row, show, table

# What the table says of a rung's state.
SAME = {
    "reference": "",
    "within": "yes",
    "not within": "NO",
    "failed": "failed",
    "unavailable": "not run",
    "none": "none",
}

if TYPE_CHECKING:
    from rich.table import Table


def ladder(
    outputs: Annotated[int, typer.Option(help="Of the net: 10 or 1000.")] = 10,
    threads: Annotated[int, typer.Option(help="How many threads a framework computes on.")] = 1,
    write: Annotated[
        bool, typer.Option("--write", help="Put the rungs' code into docs/ladder.md, and run none.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one small training at every level of both APIs, held against NumPy; exit code 1 where one differs.

    A line fitted by gradient descent; then a two-layer net, from a backward pass by hand to Lightning's and Keras's
    fit. It needs no dataset, and takes about a minute. Into reports/ladder.json.
    """
    from experiments.ladder.document import write_document
    from experiments.ladder.problems import check_settings

    project, params = load_project()
    check_settings(outputs=outputs, threads=threads)
    if write:
        print(write_document(project.root).relative_to(project.root))
        return
    from experiments.ladder.report import content
    from experiments.ladder.run import run_ladder
    from experiments.reports.page.write import refresh_page
    from experiments.system.files import write_json
    from experiments.system.git import read_checkout

    rungs = run_ladder(outputs=outputs, threads=threads)
    found = content(rungs, outputs=outputs, threads=threads, commit=read_checkout(project.root).commit)
    write_json(project.reports / "ladder.json", found)
    refresh_page(project, params)
    show(found, *_tables(found), as_json=as_json)
    if not found["passed"]:
        sys.exit(1)


def _tables(found: Mapping[str, Any]) -> "Iterator[Table | str]":
    rows, threads = found["rungs"], found["threads"]
    apart: dict[str, Cell] = {"loss": lambda row: _number(row["loss"], ".3g")}
    apart |= {kind: _against_bound(kind) for kind in ("float64", "float32")}
    apart |= {"same": lambda row: SAME[row["state"]]}
    cost: dict[str, Cell] = {
        "lines": lambda row: _number(row["lines"], "d"),
        "steps/s": lambda row: _number(row["steps_per_second"], ",.0f"),
        "first step (ms)": lambda row: _number(row["first_step_seconds"], ",.1f", 1000),
    }
    yield "\nLoss after the last step; largest difference of a parameter from NumPy's / its bound:"
    yield _made(rows, apart)
    yield from (f"{row['rung']}, {row['title']}: {note}" for row in rows for note in row["notes"])
    on = f"{threads} thread{'s' if threads > 1 else ''}"
    yield f"\nCost, in float32 on {on}; lines of code without comments and docstrings:"
    yield _made([row for row in rows if row["lines"]], cost)
    yield ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    yield "reports/ladder.json"
    yield "Next: docs/ladder.md walks through the rungs, with their code."


def _made(rows: list[Row], columns: Mapping[str, Cell]) -> "Table":
    # A rung is named once.
    names = [row["rung"] for row in rows]
    named = [{**row, "name": "" if row["rung"] in names[:place] else row["rung"]} for place, row in enumerate(rows)]
    columns = {"rung": "name", "framework": "title", **columns}
    made = table(
        named, columns, right=("loss", "float64", "float32", "lines", "steps/s", "first step (ms)"), style=_style
    )
    made.show_edge = False  # it fits into 80 columns
    return made


def _style(row: Row) -> str | None:
    return "bold red" if row["state"] in ("not within", "failed") else None


def _against_bound(kind: str) -> Cell:
    def cell(row: Row) -> str:
        one = row[kind]
        return f"{_number(one['maximum'], '.0e')}/{_number(one['bound'], '.0e')}" if one else ""

    return cell


def _number(value: float | None, form: str, scale: float = 1) -> str:
    return "" if value is None else format(scale * value, form) if value else "0"
