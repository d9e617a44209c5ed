"""Runs in MLflow's store: finding them, and changing those that nobody writes."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as Run
from mlflow.exceptions import MlflowException

from experiments.contract.run_log import OUTPUTS
from experiments.tracking.owner import owner_tags

# What MLflow shows as a run's or an experiment's description. Which run has done the same training since.
NOTE, SUPERSEDED = "mlflow.note.content", "superseded_by"
# The run that keeps the page about all others: its name, and a tag.
REPORT = "report"
# What to do about a run that another store has.
AWAY = (
    "set MLFLOW_TRACKING_URI to the store of the machine that trained it, or train it again here: `dvc repro --force`"
)
# MLflow takes no more entries at once.
PAGE = 1000


def search(experiment: str, query: str) -> list[Run]:
    """Return all runs that match, the newest first."""
    runs: list[Run] = mlflow.search_runs([experiment], query, output_format="list")
    return runs


def find_tagged(experiment: str, tags: Mapping[str, str]) -> str | None:
    """Return the id of the oldest run, not deleted, that has all of these tags."""
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    runs = search(experiment, query)
    return runs[-1].info.run_id if runs else None


def find_named(name: str, search: Callable[[str], list[Run]]) -> list[Run]:
    """Return the runs of that name, or `STUDY/TRIAL`, the newest first; TRIAL is a number or the name of its run.

    `search` returns the runs that match a query.
    """
    if set(name) & set("'\"`%\\"):  # they would end the name in MLflow's query
        return []
    study, _, trial = name.rpartition("/")
    if not study:
        return search(f"attributes.run_name = '{name}'")
    of_study = search(f"tags.sweep = '{study}'")
    return [run for run in of_study if trial in (run.info.run_name, run.data.tags.get("trial"))]


def recent(experiment: str, count: int) -> list[Run]:
    """Return the newest runs."""
    runs: list[Run] = mlflow.search_runs([experiment], max_results=count, output_format="list")
    return runs


def find_run(run_id: str, client: MlflowClient | None = None) -> Run | None:
    """Return a run; None: MLflow doesn't have it, or it is deleted. `client` None: of the connected store."""
    try:
        run = (client or MlflowClient()).get_run(run_id)
    except MlflowException as error:
        # Anything else (a store that is busy, a server that is away) says nothing about the run.
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


def active(run_id: str | None) -> str | None:
    """Return the id of a run if MLflow has it, not deleted."""
    run = find_run(run_id) if run_id else None
    return run.info.run_id if run else None


def add_files(run_id: str, files: Iterable[Path]) -> None:
    """Keep copies of files in a run that may be closed already."""
    for file in files:
        MlflowClient().log_artifact(run_id, str(file))


def end_run(run_id: str, status: str) -> None:
    """Mark a run that nobody writes as ended."""
    MlflowClient().set_terminated(run_id, status)


def set_tag(run_ids: Iterable[str], name: str, value: str) -> None:
    """Set a tag of runs that may be closed already."""
    for run_id in run_ids:
        MlflowClient().set_tag(run_id, name, value)


def supersede(experiment: str, run_id: str) -> None:
    """Tag the finished runs whose outputs were where this run's are; may be repeated."""
    if place := MlflowClient().get_run(run_id).data.tags.get(OUTPUTS):
        for run in search(experiment, f"tags.`{OUTPUTS}` = '{place}' and attributes.status = 'FINISHED'"):
            if run.info.run_id != run_id and SUPERSEDED not in run.data.tags:
                MlflowClient().set_tag(run.info.run_id, SUPERSEDED, run_id)


def keep_page(experiment: str, file: Path) -> str:
    """Keep a page in the run that is there for it, in place of what it was before; return the run's id."""
    run_id = find_tagged(experiment, {REPORT: "true"})
    if run_id is None:
        tags = {REPORT: "true", NOTE: "the page that `tandem report` opens", **owner_tags()}
        run_id = str(MlflowClient().create_run(experiment, run_name=REPORT, tags=tags).info.run_id)
        end_run(run_id, "FINISHED")
    add_files(run_id, [file])
    return run_id


def delete_run(run_id: str) -> None:
    """Delete a run, so that `mlflow runs restore` can bring it back."""
    MlflowClient().delete_run(run_id)


def write_run(
    experiment: str,
    name: str,
    *,
    tags: Mapping[str, str],
    params: Mapping[str, object],
    points: Iterable[tuple[str, float, int]],
) -> str:
    """Write a FINISHED run of something that is over, from (metric, value, step); return its id."""
    client, now = MlflowClient(), int(time.time() * 1000)
    run_id: str = client.create_run(experiment, run_name=name, tags={**tags, **owner_tags()}).info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(metric, value, now, step) for metric, value, step in points],
        params=[Param(key, str(value)) for key, value in params.items()],
        tags=[RunTag(NOTE, "written afterwards, by `tandem sweep reconcile`")],
    )
    client.set_terminated(run_id, "FINISHED")
    return run_id
