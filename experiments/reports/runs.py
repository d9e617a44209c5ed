"""Which MLflow run belongs to each output of the pipeline."""

from pathlib import Path
from typing import Any

from experiments.settings.project import Project
from experiments.system.files import read_json
from experiments.tracking import runs, store
from experiments.training.outputs import METRICS, RECORD


def list_runs(project: Project) -> list[dict[str, Any]]:
    """Return what is known of each training in runs/ and by hand, in order of recipe, backend and seed.

    `output` is its folder. The status is what MLflow says of the run, or MISSING where MLflow has no such run;
    `git_dirty`: the code was not that of the commit; `dvc_experiment` is the name of DVC's experiment, or none.
    """
    store.connect(project)
    folders = [folder for place in (project, project.for_hand()) for folder in place.run_folders()]
    return [_row(project, folder) for folder in folders if (folder / METRICS).is_file()]


def _row(project: Project, folder: Path) -> dict[str, Any]:
    record = read_json(folder / RECORD)
    run, tags = runs.find_run(record["mlflow_run_id"]), record["tags"]
    return {
        "output": str(folder.relative_to(project.root)),
        "mlflow_run_id": record["mlflow_run_id"],
        "status": run.info.status if run else "MISSING",
        "dataset": tags["dataset"],
        "test/accuracy": read_json(folder / METRICS)["test/accuracy"],
        "dvc_experiment": tags.get("dvc_experiment", "none"),
        "git_commit": tags["git_commit"],
        "git_dirty": tags["git_dirty"] == "true",
    }
