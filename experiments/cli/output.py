"""What a command has found, printed: tables for a person, JSON for a program. The one place that decides which."""

import json
import math
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from experiments.system.checks import Check

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
Row = Mapping[str, Any]
# What a cell shows: the value under a key, or what is made from the row.
Cell = str | Callable[[Row], str]
# Words besides colours: some readers see no difference between red and green.
STYLES = {"ok": None, "warning": "bold", "problem": "bold red"}


def show(content: object, *parts: "Table | str", as_json: bool) -> None:
    """Print a result: its content as JSON, or else the parts that a person reads, tables and lines.

    A number that JSON can't hold (NaN, infinity) is null there.
    """
    if as_json:
        print(json.dumps(_valid(content), indent=2, allow_nan=False))
        return
    for part in parts:
        if isinstance(part, str):
            print(part)
        else:
            _print_table(part)


def table(
    rows: Sequence[Row],
    columns: Mapping[str, Cell],
    *,
    right: Container[str] = (),
    style: Callable[[Row], str | None] = lambda row: None,
    total: Row | None = None,
) -> "Table":
    """Return rows as a table: a column for each heading, those in `right` aligned to the right.

    `style` is that of a row; `total` is a last row, under a line. None shows nothing.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table()
    for heading in columns:
        made.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in (*rows, *([] if total is None else [total])):
        if row is total:
            made.add_section()
        # Text: a name in square brackets is no markup.
        made.add_row(*(Text(_text(row, cell)) for cell in columns.values()), style=style(row))
    return made


def show_checks(checks: Sequence["Check"], *lines: str, as_json: bool) -> None:
    """Print checks, each with what to do unless it is ok, and then the lines."""
    rows = [vars(check) for check in checks]
    columns: dict[str, Cell] = {"": "state", "what": "what", "found": "found", "what to do": "remedy"}
    show(rows, table(rows, columns, style=lambda row: STYLES[row["state"]]), *lines, as_json=as_json)


def _text(row: Row, cell: Cell) -> str:
    value = cell(row) if callable(cell) else row[cell]
    return "" if value is None else str(value)


def _print_table(table: "Table") -> None:
    from rich.console import Console

    # Without a terminal, rich would cut the table to 80 columns.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _valid(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _valid(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_valid(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
