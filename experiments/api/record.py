"""What a run has recorded, as tables."""

from typing import TYPE_CHECKING

import pandas as pd

from experiments.reports.measured import Measured
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.urls import hide_password
from experiments.tracking import runs, store
from experiments.tracking.reader import Reader, open_reader
from experiments.training.outputs import read_outputs

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

# Metrics of MLflow whose steps are epochs.
_OF_EPOCHS = (
    *(f"{split}/{metric}" for split in ("train", "val", "test") for metric in ("loss", "accuracy")),
    *("epoch_seconds", "images_per_second", "memory_mb"),
)


def history_of(project: Project, run: Measured) -> pd.DataFrame:
    """Return a row for each epoch."""
    if run.folder:
        table = pd.DataFrame(list(read_outputs(run.folder).history))
        return table.astype({"epoch": int}).set_index("epoch")
    with store.opened_briefly():
        open_reader(project)
        reader = Reader()
        points = {name: reader.points(run.run_id, name) for name in _OF_EPOCHS if name in run.metrics}
    return pd.DataFrame(points).rename_axis("epoch").sort_index()


def predictions_of(run: Measured) -> pd.DataFrame:
    """Return a row for each test image.

    Raises:
        TandemError: the run keeps none.
    """
    if run.answers is None:
        raise TandemError(f"{run.where}: expected its answers to the test images; it keeps none")
    return pd.DataFrame(vars(run.answers)).rename_axis("image")


def mlflow_run_of(project: Project, run: Measured) -> "MlflowRun":
    """Return a run as MLflow has it.

    Raises:
        TandemError: the store isn't there, or hasn't got it.
    """
    with store.opened_briefly():
        open_reader(project)
        found = runs.find_run(run.run_id)
    if found is None:
        here = hide_password(store.store_uri(project))
        raise TandemError(
            f"{run.where}: expected its run {run.run_id} in MLflow; {here} hasn't got it", advice=runs.AWAY
        )
    return found
