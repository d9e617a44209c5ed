"""`tandem export`: the model of a run as files that others can use."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli import complete
from experiments.cli.common import RunArgument, out_folder
from experiments.cli.output import Cell, JsonOption, Row, show, table
from experiments.settings.project import Project
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    from rich.table import Table


def export(
    run: RunArgument,
    to: Annotated[
        list[str],
        typer.Option(
            help="`onnx`, `torch-export`, `saved-model`, `keras`, `tflite`, or `all`; several times for several.",
            autocompletion=complete.formats,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder for a folder of each format; by default, one in exported/.",
            metavar="FOLDER",
            parser=out_folder,
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the trained model of a run as files that others can use: raw pixels in, logits out.

    Each predicts the test set where Tandem's sources can't be imported. One that answers otherwise isn't written.
    """
    from experiments.convert.loading import near
    from experiments.export.export import Wish, export

    folder, rows = export(Project.find(), Wish(run, to, out))
    show(rows, *_parts(rows, near(folder)), as_json=as_json)
    if lacking := [row for row in rows if "refused" in row]:
        first = f"--to {lacking[0]['format']}: {lacking[0]['refused']}"
        names = ", ".join(row["format"] for row in lacking)
        raise TandemError(first if len(rows) == 1 else f"not written: {names}; see the line of each above")


def _parts(rows: Sequence[dict[str, Any]], folder: Path) -> "Iterator[Table | str]":
    made = [row for row in rows if "verdict" in row]
    if made:
        yield f"{folder}/: {made[0]['run']}, trained in {made[0]['trained_in']}"
        yield table(made, _columns(), right=("size", "same answers", "a logit differs by", "bound"))
        if converted := [row for row in made if row["conversion"]]:
            names, backend = ", ".join(row["format"] for row in converted), converted[0]["written_by"]
            yield f"{names}: by way of a conversion to {backend}, with the proof of `tandem convert`."
        yield from _doubtful(made)
    if len(rows) > 1:
        yield from (f"{row['format']}: not written: {row['refused']}" for row in rows if "refused" in row)
    if made:
        yield "Each file answered in a process that can't import Tandem's sources. Nothing was scored."
        yield f"Next: tandem predict {folder / made[0]['format']} IMAGE"


def _columns() -> dict[str, Cell]:
    def verdict(name: str) -> Cell:
        return lambda row: f"{row['verdict'][name]:.1e}"

    return {
        "format": "format",
        "file": lambda row: f"{row['format']}/{row['file']}",
        "size": lambda row: f"{row['bytes'] / 1e6:.1f} MB",
        "same answers": lambda row: f"{row['verdict']['alike']:,} of {row['verdict']['images']:,}",
        "a logit differs by": verdict("largest_logit_difference"),
        "bound": verdict("bound"),
    }


def _doubtful(made: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each file that answers otherwise somewhere."""
    for row in made:
        found, recorded = row["verdict"], row["verdict"]["as_recorded"]
        if found["largest_margin"] is not None:
            yield f"{row['format']}: where answers differ, the run's leads by {found['largest_margin']:.1e} at most."
        if recorded and (others := recorded["images"] - recorded["alike"]):
            yield f"{row['format']}: {others:,} answers are other ones than the run recorded."
