"""How a run is opened, or resumed, and how it is closed."""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run, RunTag
from mlflow.exceptions import MlflowException

from experiments.system.colours import COLOURS
from experiments.system.errors import Stopped
from experiments.tracking.abandoned import CLOSED_BECAUSE
from experiments.tracking.owner import owner_tags
from experiments.tracking.runs import NOTE, SUPERSEDED
from experiments.tracking.spool import WAIT_SECONDS, Spool
from experiments.tracking.tracker import Tracker


def open_run(name: str, *, experiment: str, tags: Mapping[str, str], command: str, resume: str | None = None) -> Run:
    """Create a run that is RUNNING, or resume the one called `resume`; return it as it was then.

    `command` is what to type to have the run again; it is the run's description.
    """
    client = MlflowClient()
    note = f"`{command}`, Python {platform.python_version()}"  # MLflow's description of the run
    # With the tags from its first moment on, so that a kill at any time leaves a run that can be told to be abandoned.
    marked = {**tags, **owner_tags(), NOTE: note, "command": command}
    if colour := COLOURS.get(tags.get("backend", "")):
        marked["mlflow.runColor"] = colour
    if resume is None:
        return client.create_run(experiment, run_name=name, tags=marked)
    Spool(resume).deliver(wait=WAIT_SECONDS)
    # Before it is RUNNING again: nobody may take it for the run of the process that wrote it last.
    client.log_batch(resume, tags=[RunTag(*tag) for tag in marked.items()])
    run = client.get_run(resume)
    for tag in {CLOSED_BECAUSE, SUPERSEDED} & run.data.tags.keys():
        client.delete_tag(resume, tag)
    client.update_run(resume, status="RUNNING")
    return run


@contextmanager
def track(
    name: str, *, experiment: str, tags: Mapping[str, str], command: str, resume: str | None = None
) -> Iterator[Tracker]:
    """Open a run as `open_run` does, as MLflow's active one, and close it: FINISHED, FAILED or KILLED.

    FAILED is an exception, KILLED is `Stopped`; both are raised again once the run is closed.
    """
    run = open_run(name, experiment=experiment, tags=tags, command=command, resume=resume)
    # MLflow's system metrics are those of the whole machine, other processes included.
    mlflow.start_run(run_id=run.info.run_id, log_system_metrics=False)
    status, tracker = "FAILED", None
    try:
        tracker = Tracker(run, mlflow.end_run)
        yield tracker
        tracker.flush()
        status = "FINISHED"
    except (Stopped, KeyboardInterrupt):
        status = "KILLED"
        raise
    finally:
        # The first error is the one to report.
        with nullcontext() if status == "FINISHED" else suppress(OSError, MlflowException):
            if tracker:
                tracker.close(status)
            else:
                mlflow.end_run(status)
