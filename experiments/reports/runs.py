"""Which MLflow run belongs to each output of the pipeline."""

from dataclasses import dataclass
from pathlib import Path

from experiments.settings.project import Project
from experiments.system.files import read_json
from experiments.tracking import runs, store
from experiments.training.outputs import METRICS, RECORD


@dataclass(frozen=True)
class RunLine:
    """An output, and what MLflow says of its run; `status` is MISSING where MLflow has no such run."""

    output: str
    run_id: str
    status: str
    dataset: str
    accuracy: float
    commit: str


def list_runs(project: Project) -> list[RunLine]:
    """Return a line for each training in runs/, in order of recipe, backend and seed."""
    store.connect(project)
    return [_line(project, folder) for folder in project.run_folders() if (folder / METRICS).is_file()]


def _line(project: Project, folder: Path) -> RunLine:
    record = read_json(folder / RECORD)
    run = runs.find_run(record["mlflow_run_id"])
    dirty = " + changes" if record["tags"]["git_dirty"] == "true" else ""
    return RunLine(
        output=str(folder.relative_to(project.root)),
        run_id=record["mlflow_run_id"],
        status=run.info.status if run else "MISSING",
        dataset=record["tags"]["dataset"],
        accuracy=read_json(folder / METRICS)["test/accuracy"],
        commit=record["tags"]["git_commit"][:8] + dirty,
    )
