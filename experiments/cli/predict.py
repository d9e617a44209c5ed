"""`tandem predict`: what a trained model says of images."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli import complete
from experiments.cli.output import Cell, JsonOption, Row, show, table

if TYPE_CHECKING:
    from rich.table import Table

# Classes that are shown beside the most likely one; JSON has them all.
NEXT = 2


def predict(
    model: Annotated[
        str,
        typer.Argument(
            metavar="FILE-OR-RUN",
            help="An exported file or its folder (exported/lenet-keras-12/onnx), or a run: a folder "
            "(runs/lenet/keras/12), its label (lenet-keras-12), or MLflow's id or name.",
            autocompletion=complete.models,
        ),
    ],
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE", help="PNG or JPEG files, or files of many images: IDX (also .gz) or .npy."),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(help="Which of a file of many, such as 0-9,17; by default, the first 10.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a trained model makes of images: the most likely classes of each, with their probabilities.

    Images are as large as the model takes them, and raw: the model scales the pixels.
    """
    from experiments.predicting.images import parse_index
    from experiments.predicting.predict import predict

    content = predict(model, images or [], None if index is None else parse_index(index))
    show(content, *_parts(content), as_json=as_json)


def _parts(content: Mapping[str, Any]) -> "Iterator[Table | str]":
    yield f"{content['model']}: {content['kind']}"
    columns: dict[str, Cell] = {
        "image": "image",
        "class": "name",
        "probability": lambda row: _percent(row["probability"]),
        "next": lambda row: _next(row, content["classes"]),
    }
    yield table(content["images"], columns, right=("probability",))
    yield "Next: with --json, the probabilities of all classes."


def _next(row: Row, classes: list[str]) -> str:
    likely = sorted(range(len(classes)), key=lambda number: -row["probabilities"][number])
    others = [number for number in likely if number != row["class"]][:NEXT]
    return ", ".join(f"{classes[number]} ({_percent(row['probabilities'][number])})" for number in others)


def _percent(probability: float) -> str:
    return f"{100 * probability:.2f} %"
