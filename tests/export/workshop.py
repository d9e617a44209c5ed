"""Models of both frameworks to export, trained for a few steps or not at all, on the stand-in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.contract.backend import TrainingSettings
from experiments.contract.model_settings import model_settings
from experiments.contract.weights import draw_weights
from experiments.convert.source import Source
from experiments.data.dataset import Dataset
from experiments.export.export import Row, export_saved
from experiments.export.formats import FORMATS
from experiments.export.places import work_folder
from experiments.frameworks import backend_name, takes_dropout
from experiments.parity.sides import Side, load_side
from experiments.reports.measured import Measured
from experiments.settings.project import RunKey
from experiments.settings.recipe import BackendName, Recipe
from experiments.system.files import digest
from tests import normed
from tests.export.planted import FaultyProcess
from tests.models.backend_probe import Recorder, recipe


def train(side: Side, settings: Recipe, dataset: Dataset, folder: Path, images: int) -> str:
    """Train a model on so many images, save it, and return the digest of its weights."""
    backend = load_side(side)[0]
    model = backend.build(model_settings(settings, dataset))
    model.set_weights(draw_weights(model.parameters(), settings, seed=1))
    if images:
        split = dataset.split("train")
        training, some = TrainingSettings(settings, 1, log_every_steps=50), np.array(split.images[:images])
        backend.train(model, some, split.labels[:images], training, checkpoint=None, listener=Recorder())
    folder.mkdir(parents=True)
    model.save(folder)
    return digest(model.get_weights())


class Workshop:
    """Both frameworks' processes, named after them, and the stand-in."""

    def __init__(self, dataset: Dataset, folder: Path, processes: Sequence[FaultyProcess]) -> None:
        self.dataset, self.folder = dataset, folder
        self.processes = {Side(backend_name(process.name)): process for process in processes}

    def train(self, backend: BackendName, architecture: str, images: int = 320) -> tuple[Source, Path]:
        """Train a model, and return it as the run that it could be of, and where it was saved."""
        rate = 0.4 if architecture != normed.NAME and takes_dropout(architecture) else None
        settings = recipe(architecture=architecture, epochs=1, dropout=rate)
        saved = self.folder / f"{architecture}-{backend}"
        weights = self.processes[Side(backend)].call(train, Side(backend), settings, self.dataset, saved, images)
        where = f"runs/{architecture}/{backend}/1"
        run = Measured(f"{architecture}-{backend}-1", where, "0" * 32, {}, {}, None, weights)
        return Source(run, RunKey(architecture, backend, 1), settings, code_changed=False), saved

    def export(self, source: Source, saved: Path, out: Path, formats: Sequence[str], fault: str = "") -> list[Row]:
        """Export it, each format into a folder of its name in `out`."""
        ordered = sorted(self.processes, key=lambda side: side.backend != source.key.backend)
        for process in self.processes.values():
            process.bug = fault
        needed = ordered if any(source.key.backend not in FORMATS[name].writers for name in formats) else ordered[:1]
        processes = {side: self.processes[side] for side in needed}
        folders = {FORMATS[name]: out / name for name in formats}
        with work_folder(out) as work:
            return export_saved(processes, source, self.dataset, saved, folders, work)
