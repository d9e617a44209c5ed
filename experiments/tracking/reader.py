"""Reads the runs of one store, and writes nothing."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.tracking import store
from experiments.tracking.runs import PAGE, find_run


class Reader:
    """A store that is open for reading; `uri` None: the one that this process is connected to."""

    def __init__(self, uri: str | None = None) -> None:
        self._client = MlflowClient(uri)

    def run(self, run_id: str) -> Run | None:
        """Return a run that isn't deleted; None: there is none of that id."""
        return find_run(run_id, self._client)

    def search(self, query: str) -> list[Run]:
        """Return the runs that match, of any experiment, the newest first."""
        experiments = [each.experiment_id for each in self._client.search_experiments()]
        found: list[Run] = []
        token: str | None = None
        while token is None or token:
            page = self._client.search_runs(
                experiments, query, max_results=PAGE, order_by=["attributes.start_time DESC"], page_token=token or None
            )
            found += page
            token = page.token or ""
        return found

    def points(self, run_id: str, metric: str) -> dict[int, float]:
        """Return a metric of a run: its value at each step, by step; none if the run lacks it."""
        points = self._client.get_metric_history(run_id, metric)
        return {point.step: point.value for point in sorted(points, key=lambda point: point.step)}

    def texts(self, run_id: str, names: Iterable[str]) -> dict[str, str]:
        """Return the files of these names that a run has; a line's end is as in the file."""
        known = {file.path for file in self._client.list_artifacts(run_id)}
        with tempfile.TemporaryDirectory() as folder:
            return {
                name: Path(self._client.download_artifacts(run_id, name, folder)).read_bytes().decode(errors="replace")
                for name in names
                if name in known
            }


def open_reader(project: Project) -> Reader:
    """Connect to the project's store, which has to be there.

    Raises:
        TandemError: it is not, or a server doesn't answer.
    """
    if store.store_uri(project) == store.own_uri(project) and not (project.mlruns / store.FILE).is_file():
        raise TandemError(
            f"{project.mlruns}: expected MLflow's store with the run; got none; run this where the run was made, or "
            "set MLFLOW_TRACKING_URI"
        )
    store.open_experiment(project)
    return Reader()


def reader_of(project: Project) -> Reader:
    """Return a reader of the store in a project's own mlruns/, whatever MLFLOW_TRACKING_URI says."""
    return Reader(store.own_uri(project))
