"""Which MLflow run belongs to each output of the pipeline."""

from dataclasses import dataclass
from pathlib import Path

from experiments import tracking
from experiments.settings.project import Project
from experiments.system.files import read_json


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
    tracking.connect(project)
    records = [
        path
        for path in project.runs.glob("*/*/*/run.json")
        if path.parent.name.isdigit() and path.with_name("metrics.json").is_file()
    ]
    records.sort(key=lambda path: (*path.parts[-4:-2], int(path.parent.name)))
    return [_line(project, path) for path in records]


def _line(project: Project, path: Path) -> RunLine:
    record = read_json(path)
    run = tracking.find_run(record["mlflow_run_id"])
    dirty = " + changes" if record["tags"]["git_dirty"] == "true" else ""
    return RunLine(
        output=str(path.parent.relative_to(project.root)),
        run_id=record["mlflow_run_id"],
        status=run.info.status if run else "MISSING",
        dataset=record["tags"]["dataset"],
        accuracy=read_json(path.with_name("metrics.json"))["test/accuracy"],
        commit=record["tags"]["git_commit"][:8] + dirty,
    )
