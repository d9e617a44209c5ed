"""What is written to an open run: metrics, which gather and are sent later, and everything else at once."""

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType

import filelock
import mlflow
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Dataset as DatasetEntity
from mlflow.entities import DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from experiments.contract.model import Model
from experiments.data.dataset import Dataset, Images, Split
from experiments.system.urls import one_line
from experiments.tracking.images import log_images
from experiments.tracking.metrics import FLUSH_SECONDS, SEND_SECONDS, MetricSender
from experiments.tracking.models import FOLDER, log_saved_model, save_model
from experiments.tracking.runs import NOTE
from experiments.tracking.spool import Spool, logged_steps, request_limits


class Tracker:
    """An open run, as `open_run` returns it.

    `terminate` ends it in the store, given the status. `send_seconds`: how long metrics may gather.
    """

    def __init__(
        self, run: Run, terminate: Callable[[str], None] | None = None, *, send_seconds: float = SEND_SECONDS
    ) -> None:
        self.run_id: str = run.info.run_id
        self._client = MlflowClient()
        self._terminate = terminate or partial(self._client.set_terminated, self.run_id)
        self._known_params: dict[str, str] = run.data.params
        self._has_dataset = bool(run.inputs and run.inputs.dataset_inputs)
        self._logged = logged_steps(run, run.data.metrics)
        self._spool = Spool(self.run_id)
        self._sender = MetricSender(self.run_id, self._spool, send_seconds)

    def metrics(self, points: Iterable[tuple[str, float, int]]) -> None:
        """Log (name, value, step) without waiting; a step that the run has already is left as it is."""
        now = int(time.time() * 1000)
        for name, value, step in points:
            if (name, step) not in self._logged:
                self._logged.add((name, step))
                self._sender.add([Metric(name, value, now, step)])

    def flush(self) -> None:
        """Wait until every metric is in the store, or in the spool where the store fails.

        Raises:
            OSError: neither takes them.
        """
        self._sender.flush()

    def close(self, status: str) -> None:
        """End the run within seconds, store or no store: what can't be delivered now is kept.

        Raises:
            OSError: neither the store nor the disk takes it.
        """
        end_time = int(time.time() * 1000)
        try:
            self._sender.flush()
        finally:
            with request_limits(1 if self._sender.is_away else FLUSH_SECONDS):
                self._end(status, end_time)
            self._spool.release()

    def _end(self, status: str, end_time: int) -> None:
        with suppress(MlflowException, filelock.Timeout):
            self._spool.deliver()
        try:
            self._terminate(status)
        except MlflowException as error:
            self._spool.add_status(status, end_time)
            self._sender.warn(one_line(error))

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters; what a resumed run has otherwise (other threads) is kept, and the new value is a tag."""
        known = self._known_params
        new = {name: value for name, value in values.items() if name not in known}
        params = [Param(name, str(value)) for name, value in new.items()]
        changed = {
            f"resumed.{name}": str(value) for name, value in values.items() if known.get(name, str(value)) != str(value)
        }
        tags = [RunTag(name, value) for name, value in changed.items()]
        self._client.log_batch(self.run_id, params=params, tags=tags)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        if len(values) > 1:
            self._client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in values.items()])
            return
        for name, value in values.items():  # a batch of one takes twice as long
            self._client.set_tag(self.run_id, name, value)

    def file(self, path: Path) -> None:
        """Keep a copy of a file."""
        self._client.log_artifact(self.run_id, str(path))

    def text(self, content: str, name: str) -> None:
        """Keep a text as a file of that name."""
        self._client.log_text(self.run_id, content, name)

    def plot(self, figure: Figure, name: str) -> None:
        """Keep a plot as a file of that name."""
        self._client.log_figure(self.run_id, figure, name)

    def note(self, text: str, tags: Mapping[str, str] = MappingProxyType({})) -> None:
        """Describe the run, in Markdown, in place of what was said before; set tags with it, at once."""
        entries = {NOTE: text, **tags}
        self._client.log_batch(self.run_id, tags=[RunTag(*entry) for entry in entries.items()])

    def images(self, name: str, images: Images, columns: Mapping[str, Sequence[object]]) -> None:
        """Keep images as a table of that name, unless the run has it, with what is to be said of each."""
        log_images(self.run_id, name, images, columns)

    def dataset(self, dataset: Dataset, split: Split) -> None:
        """Record the images and labels that the run trains on as its input."""
        if self._has_dataset:
            return  # a resumed run
        source, targets = str(dataset.folder), split.labels
        # MLflow takes 36 characters of a digest.
        digest = dataset.fingerprint[:32]
        record = mlflow.data.from_numpy(split.images, source=source, targets=targets, name=dataset.name, digest=digest)
        entity = DatasetInput(DatasetEntity(**record.to_dict()), [InputTag("mlflow.data.context", "training")])
        self._client.log_inputs(self.run_id, [entity])

    def model(self, backend: str, model: Model, *, images: Images) -> None:
        """Log a model in its framework's own flavour, with a signature from example images (at least 2)."""
        with tempfile.TemporaryDirectory() as folder:
            save_model(Path(folder, FOLDER), backend, model, images)
            self.saved_model(Path(folder, FOLDER))

    def saved_model(self, folder: Path) -> None:
        """Log a model that `save_model` has written; a repeat, or a resumed run that has one, changes nothing."""
        self.flush()  # its metrics become the model's
        log_saved_model(self.run_id, folder)
