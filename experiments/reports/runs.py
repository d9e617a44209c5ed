"""Which MLflow run belongs to each output of the pipeline."""

from pathlib import Path

from experiments.settings.project import Project
from experiments.system.files import read_json
from experiments.tracking import runs, store
from experiments.training.outputs import METRICS, RECORD

COLUMNS = ("output", "MLflow run", "status", "dataset", "test accuracy", "commit")


def list_runs(project: Project) -> list[tuple[str, ...]]:
    """Return a row of COLUMNS for each training in runs/, in order of recipe, backend and seed.

    The status is what MLflow says of the run, or MISSING where MLflow has no such run.
    """
    store.connect(project)
    return [_row(project, folder) for folder in project.run_folders() if (folder / METRICS).is_file()]


def _row(project: Project, folder: Path) -> tuple[str, ...]:
    record = read_json(folder / RECORD)
    run = runs.find_run(record["mlflow_run_id"])
    dirty = " + changes" if record["tags"]["git_dirty"] == "true" else ""
    return (
        str(folder.relative_to(project.root)),
        record["mlflow_run_id"],
        run.info.status if run else "MISSING",
        record["tags"]["dataset"],
        f"{100 * read_json(folder / METRICS)['test/accuracy']:.2f} %",
        record["tags"]["git_commit"][:8] + dirty,
    )
