"""A run that is being written, from its start to its end."""

import importlib
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from importlib.metadata import version
from pathlib import Path

import mlflow
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature

from experiments.contract.backend import Model
from experiments.data.dataset import Dataset, Images, Split
from experiments.system.errors import Stopped
from experiments.system.quiet import quiet_native_stderr
from experiments.tracking.store import CLOSED_BECAUSE, PAGE, owner_tags

SYSTEM_METRICS_SECONDS = 5
SEND_SECONDS = 2


class Tracker:
    """An open run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._client = MlflowClient()
        self._buffer: list[Metric] = []
        self._pending: list[tuple[list[Metric], Future[None]]] = []
        # One thread keeps the order. MLflow's own takes a second to stop, a tenth of a short trial.
        self._sender = ThreadPoolExecutor(max_workers=1)
        self._sent = time.monotonic()
        self._logged = self._already_logged()

    def _already_logged(self) -> set[tuple[str, int]]:
        data = self._client.get_run(self.run_id).data
        self._known_params: dict[str, str] = data.params
        names = data.metrics
        return {
            (name, point.step)
            for name in names
            if not name.startswith("system/")
            for point in self._client.get_metric_history(self.run_id, name)
        }

    def metrics(self, points: Iterable[tuple[str, float, int]]) -> None:
        """Log (name, value, step) without waiting; a step that the run has already is left as it is.

        Points gather for some seconds, since the store takes 10 ms or more for one and not much longer for hundreds.
        """
        now = int(time.time() * 1000)
        for name, value, step in points:
            if (name, step) not in self._logged:
                self._logged.add((name, step))
                self._buffer.append(Metric(name, value, now, step))
        if time.monotonic() - self._sent > SEND_SECONDS:
            self._send()

    def _send(self) -> None:
        for start in range(0, len(self._buffer), PAGE):
            batch = self._buffer[start : start + PAGE]
            self._pending.append((batch, self._sender.submit(self._log, batch)))
        self._buffer, self._sent = [], time.monotonic()

    def flush(self) -> None:
        """Wait until every metric is in the store; one that failed on its way is sent again.

        Raises:
            MlflowException: the store doesn't take it the second time either.
        """
        self._send()
        for batch, done in self._pending:
            try:
                done.result()
            except MlflowException:
                self._log(batch)
        self._pending.clear()

    def _log(self, batch: list[Metric]) -> None:
        self._client.log_batch(self.run_id, metrics=batch)

    def close(self) -> None:
        """Send what is left, and stop sending.

        Raises:
            MlflowException: as `flush`.
        """
        try:
            self.flush()
        finally:
            self._sender.shutdown()

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters; what a resumed run has otherwise (other threads) is kept, and the new value is a tag."""
        known = self._known_params
        new = {name: value for name, value in values.items() if name not in known}
        mlflow.log_params(new)
        changed = {
            f"resumed.{name}": str(value) for name, value in values.items() if known.get(name, str(value)) != str(value)
        }
        if changed:
            mlflow.set_tags(changed)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        mlflow.set_tags(values)

    def file(self, path: Path) -> None:
        """Keep a copy of a file."""
        mlflow.log_artifact(str(path))

    def text(self, content: str, name: str) -> None:
        """Keep a text as a file of that name."""
        mlflow.log_text(content, name)

    def plot(self, figure: Figure, name: str) -> None:
        """Keep a plot as a file of that name."""
        mlflow.log_figure(figure, name)

    def dataset(self, dataset: Dataset, split: Split) -> None:
        """Record the images and labels that the run trains on as its input."""
        if self._client.get_run(self.run_id).inputs.dataset_inputs:
            return  # a resumed run
        source, targets = str(dataset.folder), split.labels
        # MLflow takes 36 characters of a digest.
        digest = dataset.fingerprint[:32]
        record = mlflow.data.from_numpy(split.images, source=source, targets=targets, name=dataset.name, digest=digest)
        mlflow.log_input(record, context="training")

    def model(self, backend: str, model: Model, *, images: Images) -> None:
        """Log a model in its framework's own flavour, with a signature from example images (at least 2).

        Its requirements are the installed versions of the framework, written out: MLflow would take long to guess.
        """
        flavour, packages = _FLAVOURS[backend]
        module = importlib.import_module(f"mlflow.{flavour}")
        # A local build's suffix (2.13.0+cpu) can't be installed elsewhere.
        requirements = [f"{name}=={version(name).split('+')[0]}" for name in packages]
        example = model.native_input(images)
        with quiet_native_stderr():
            module.log_model(
                model.native(),
                name="model",
                signature=infer_signature(example, model.predict(images)),
                input_example=example,
                pip_requirements=requirements,
            )


# `mlflow.keras` fails when it is given an input example (mlflow issue 16183); `mlflow.tensorflow` writes .keras too.
_FLAVOURS = {
    "lightning": ("pytorch", ("torch", "numpy")),
    "keras": ("tensorflow", ("tensorflow", "keras", "numpy")),
}


@contextmanager
def track(
    name: str,
    *,
    experiment: str,
    tags: Mapping[str, str],
    command: str,
    resume: str | None = None,
    system_metrics: bool = True,
) -> Iterator[Tracker]:
    """Open a run, or go on with the one called `resume`, and close it: FINISHED, FAILED or KILLED.

    `command` is what to type to have the run again; it stands in the run's description. `system_metrics`: watch memory
    and processors.
    FAILED is an exception, KILLED is `Stopped`; both go on to the caller once every metric is in the store.
    """
    mlflow.set_system_metrics_sampling_interval(SYSTEM_METRICS_SECONDS)
    # With the tags from its first moment on, so that a kill at any time leaves a run that can be told to be abandoned.
    marked = {**tags, **owner_tags(), "mlflow.note.content": _note(command)}
    where = {"run_id": resume} if resume else {"experiment_id": experiment, "run_name": name}
    run = mlflow.start_run(**where, tags=marked, log_system_metrics=system_metrics)
    status = "FAILED"
    try:
        if CLOSED_BECAUSE in run.data.tags:
            mlflow.delete_tag(CLOSED_BECAUSE)
        tracker = Tracker(run.info.run_id)
        try:
            yield tracker
        except BaseException:
            with suppress(MlflowException):  # the first error is the one to tell
                tracker.close()
            raise
        tracker.close()
        status = "FINISHED"
    except (Stopped, KeyboardInterrupt):
        status = "KILLED"
        raise
    finally:
        with nullcontext() if status == "FINISHED" else suppress(MlflowException):
            mlflow.end_run(status)


def _note(command: str) -> str:
    return f"`{command}`, Python {platform.python_version()}"
