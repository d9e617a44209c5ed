"""The command that brings in the user's own data: parse, call one function, say where the results are."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.cli.common import load_project


def import_own(
    source: Annotated[
        Path,
        typer.Argument(help="A folder of PNG or JPEG files by class, one of four IDX files, or an .npz."),
    ],
    name: Annotated[
        str | None, typer.Option(help="What tables and pictures call the dataset. [default: the source's name]")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Resize pictures to this height and width; proportions aren't kept."),
    ] = None,
    test_fraction: Annotated[
        float,
        typer.Option(min=0.001, max=0.9, help="Where the source has no test set: the share of each class for it."),
    ] = 0.2,
    force: Annotated[bool, typer.Option("--force", help="Replace data in data/ that is nowhere else.")] = False,
) -> None:
    """Fill data/ with images of your own, checked, and make them the data of the pipeline.

    Folders are SOURCE/train/CLASS/ and SOURCE/test/CLASS/, or SOURCE/CLASS/; an .npz has x_train, y_train, x_test and
    y_test. Images are grey (8 or 16 bits) or RGB.
    """
    project, params = load_project()
    from experiments.data.importing.picture import shown_size
    from experiments.data.importing.run import Wanted, import_data

    raw = import_data(project, source, Wanted(name, size, test_fraction, force), params.preprocess)
    height, width, channels = raw.train.images.shape[1:]
    kind = f"{shown_size(height, width)}, {'RGB' if channels == 3 else 'grey'}, {raw.train.images.dtype}"
    counts = f"{len(raw.train.labels):,} images to train, {len(raw.test.labels):,} to test"
    print(f"data/: {raw.name}, {raw.classes} classes, {counts}, {kind}")
    print("data.dvc names them; commit it, so that every commit says what it was trained on.")
    print("Next: `dvc repro`.")
