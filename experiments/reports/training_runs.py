"""The MLflow runs of trainings that run elsewhere: this process writes what the workers report."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiments.engine.engine import Slot
from experiments.reports.remote import MODEL, NOTE, TABLE, TRAINING
from experiments.settings.project import RunKey
from experiments.system.files import read_json
from experiments.tracking import runs
from experiments.tracking.run import open_run
from experiments.tracking.tracker import Tracker
from experiments.training.messages import Begun, Closing
from experiments.training.training import Training


@dataclass
class TrainingRuns:
    """Opens and closes the run of each training; it is that of every attempt at it."""

    experiment: str
    trackers: dict[RunKey, Tracker] = field(default_factory=dict)

    def open(self, training: Training, begun: Begun, slot: Slot, token: str) -> str:
        """Open a run, or resume that of an earlier attempt at the same training; return its id.

        `token` tells the training from one with the same settings that was done before. A repeat changes nothing.
        """
        mark = {TRAINING: f"{begun.tags[TRAINING]}-{token}"}
        place = {"worker": slot.name, "node": slot.node, "gpus": slot.gpus or "none"}
        run = open_run(
            training.key.label,
            experiment=self.experiment,
            tags={**begun.tags, **mark, **place},
            command=f"tandem train {training.key}",
            resume=runs.find_tagged(self.experiment, mark),
        )
        tracker = self.trackers[training.key] = Tracker(run)
        tracker.params(begun.params)
        tracker.dataset(training.dataset, training.images)
        tracker.metrics(begun.points)
        return tracker.run_id

    def finish(self, key: RunKey, closing: Closing) -> None:
        """Log what a training has left, and close its run; may be repeated."""
        if (tracker := self.trackers.get(key)) is None:
            return
        tracker.metrics(closing.points)
        tracker.tags(closing.tags)
        for path in sorted(closing.files.iterdir()):
            _log(tracker, path)
        runs.supersede(self.experiment, tracker.run_id)
        self.close(key, "FINISHED")

    def close(self, key: RunKey, status: str) -> None:
        """Close a run if it is open; what can't be delivered now is kept."""
        if tracker := self.trackers.pop(key, None):
            tracker.close(status)

    def close_all(self) -> None:
        """Close what is open: its trainings are resumed another time."""
        for key in list(self.trackers):
            self.close(key, "KILLED")


def _log(tracker: Tracker, path: Path) -> None:
    """Log what a worker has left for a run: a file, unless it is one that stands for something else."""
    if path.name == MODEL:
        tracker.saved_model(path)
    elif path.name == NOTE:
        tracker.note(path.read_text())
    elif path.suffix == TABLE:
        table = read_json(path)
        tracker.images(path.stem, np.asarray(table["images"], np.uint8), table["columns"])
    else:
        tracker.file(path)
