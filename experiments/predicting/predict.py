"""What a model says of images, for `tandem predict`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.export.formats import FORMATS
from experiments.predicting.arrays import answers_of
from experiments.predicting.choice import Choice
from experiments.predicting.exported import of_file
from experiments.predicting.images import look_at_files, read_images
from experiments.settings.project import Project
from experiments.system.console import warn
from experiments.system.errors import TandemError
from experiments.training.outputs import MODEL, RECORD

ASKED_BY = "FILE-OR-RUN"
SUFFIXES = {Path(kind.file).suffix for kind in FORMATS.values()} - {""}


def predict(model: str, images: Sequence[Path], index: Sequence[int] | None = None) -> dict[str, Any]:
    """Return what a model says of the images in files: for each its class, and the probability of every class.

    `index` says which images are taken of a file that holds many. All images are read before the model is loaded.

    Raises:
        TandemError: there is no such model, it can't be loaded, or an image isn't as it takes them.
    """
    files = look_at_files(images)
    chosen = find_model(model)
    given = read_images(files, chosen.takes, index)
    logits = chosen.logits(given.pixels)
    classes, probabilities = answers_of(logits)
    names = _names(chosen, probabilities.shape[1])
    columns = given.names, classes.tolist(), probabilities.tolist(), logits.tolist()
    return {
        "model": chosen.where,
        "kind": chosen.kind,
        "classes": list(names),
        "images": [
            {
                "image": image,
                "class": number,
                "name": names[number],
                "probability": each[number],
                "probabilities": each,
                "logits": said,
            }
            for image, number, each, said in zip(*columns, strict=True)
        ],
    }


def _names(chosen: Choice, classes: int) -> tuple[str, ...]:
    names = chosen.class_names
    if names and len(names) != classes:  # an export.json that someone has changed
        advice = "classes are numbers, therefore; correct its export.json, or export again"
        warn(f"{chosen.where}: expected the names of {classes} classes; got {len(names)}; {advice}")
        names = None
    return names or tuple(map(str, range(classes)))


def find_model(name: str) -> Choice:
    """Return the model of a run, as `tandem compare` names runs, or the one in an exported file or its folder.

    Raises:
        TandemError: it is neither, or the run is a trial.
    """
    path = Path(name)
    # A run is also meant by its folder `model`, and by the file in that, which isn't an exported one.
    folders = [path, *(folder.parent for folder in (path, path.parent) if folder.name == MODEL)]
    run_folder = next((folder for folder in folders if (folder / RECORD).is_file()), None)
    if run_folder is None and path.exists():
        return of_file(path)
    if run_folder is None and path.suffix in SUFFIXES:
        raise TandemError(f"{ASKED_BY}: expected an exported file; got {name!r}, which isn't there; correct the name")
    try:
        project = Project.find(run_folder)
    except TandemError:
        expected = f"{ASKED_BY}: expected an exported file or its folder, or in a clone a run"
        raise TandemError(
            f"{expected}; got {name!r}, no file, and {Path.cwd()} is in no clone; correct the name"
        ) from None
    from experiments.predicting.recorded import of_run  # with MLflow, which takes seconds, and a file doesn't need

    return of_run(project, str(run_folder or name), ASKED_BY)
