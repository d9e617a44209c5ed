"""The job of an export that runs in a framework, in a process of its own."""

from pathlib import Path

from experiments.contract.model_settings import ModelSettings
from experiments.frameworks import load_exporting
from experiments.parity.sides import Side, load_side
from experiments.system.errors import TandemError


def write(side: Side, settings: ModelSettings, saved: Path, kind: str, file: Path) -> None:
    """Write a saved model of this side in a format: into a new file, or a new folder.

    Raises:
        TandemError: it can't be written, as on a full disk.
    """
    model = load_side(side)[0].build(settings)
    model.load(saved)
    try:
        load_exporting(side.backend).WRITERS[kind](model, file)
    except OSError as error:  # the frameworks' own often name no file
        reason = error.strerror or error
        raise TandemError(f"{file.parent}: {reason}", advice="make room there, or choose another --out") from None
