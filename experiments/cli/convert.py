"""`tandem convert`: the model of a run as one of the other framework."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.common import RunArgument, out_folder
from experiments.cli.output import Cell, JsonOption, show, table
from experiments.settings.project import Project

if TYPE_CHECKING:
    from rich.table import Table


def convert(
    run: RunArgument,
    to: Annotated[
        str | None,
        typer.Option(help="`lightning` or `keras`: by default, the one that didn't train it.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new folder; by default, one in converted/.", metavar="FOLDER", parser=out_folder, show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the trained model of a run one of the other framework, with proof: outputs and gradients agree.

    The bounds are those of `tandem parity`. Nothing is written where something is beyond them.
    """
    from experiments.convert.convert import Wish, convert
    from experiments.convert.loading import near

    folder, content = convert(Project.find(), Wish(run, to, out))
    show(content, *_parts(content, near(folder)), as_json=as_json)


def _parts(content: Mapping[str, Any], folder: Path) -> "Iterator[Table | str]":
    yield f"{folder}/: {content['run']}, trained in {content['from']}, as a model of {content['to']}"
    yield f"{content['numbers']:,} numbers in {content['arrays']} arrays, parameters and state, are the same bits."
    rows = [{"precision": kind, **content["compared"][kind]} for kind in ("float64", "float32")]
    columns: dict[str, Cell] = {
        "precision": "precision",
        "compared": lambda row: f"{row['quantities']} outputs and gradients",
        "closest to its bound": "closest",
        "difference": lambda row: f"{row['difference']:.1e}",
        "bound": lambda row: f"{row['bound']:.1e}",
    }
    yield table(rows, columns, right=("difference", "bound"))
    yield from _answers(content)
    yield f"Next: python -c {shlex.quote(content['load'])}"


def _answers(content: Mapping[str, Any]) -> Iterator[str]:
    images, recorded = content["test_images"], content["as_recorded"]
    line = f"Test images: {images['alike']} of {images['images']} answers are the same in both"
    line += f"; a logit differs by {images['largest_logit_difference']:.1e} at most"
    if images["largest_margin"] is not None:
        line += f"; where answers differ, the first is ahead by {images['largest_margin']:.1e} at most"
    yield f"{line}. Nothing was scored."
    if recorded:
        yield (
            f"{recorded['alike']} of {recorded['images']} answers are those that the run recorded; a probability "
            f"differs by {recorded['largest_probability_difference']:.1e} at most."
        )
