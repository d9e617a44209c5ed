"""`tandem runs`: the outputs of trainings, and their runs in MLflow."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from experiments.cli.output import Cell, JsonOption, show, table
from experiments.settings.project import Project


def runs(
    close: Annotated[
        str, typer.Option(metavar="RUN_ID", help="Mark this run as KILLED: one left RUNNING by a reboot.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show which MLflow run each output in runs/ belongs to."""
    project = Project.find()
    from experiments.reports.runs import list_runs

    if close:
        from experiments.tracking import abandoned, store

        store.connect(project)
        abandoned.close_run(close)
    rows = list_runs(project)
    columns: dict[str, Cell] = {
        "output": "output",
        "MLflow run": "mlflow_run_id",
        "status": "status",
        "dataset": "dataset",
        "test accuracy": lambda row: f"{100 * row['test/accuracy']:.2f} %",
        "commit": lambda row: row["git_commit"][:8] + (" + changes" if row["git_dirty"] else ""),
    }
    if any(row["dvc_experiment"] != "none" for row in rows):
        columns["experiment"] = "dvc_experiment"
    missing = [row["output"] for row in rows if row["status"] == "MISSING"]
    show(rows, table(rows, columns), *_hints(missing), as_json=as_json)


def _hints(missing: Sequence[str]) -> Iterator[str]:
    """Yield what to do next, given the outputs whose runs MLflow lacks."""
    if missing:
        stage = "-".join(missing[0].split("/")[-3:])
        yield (
            "MISSING: the outputs are complete, but MLflow's store here hasn't got their run: they were trained "
            "elsewhere (`dvc pull`), or it was deleted. To see it in MLflow, set MLFLOW_TRACKING_URI to the store of "
            f"then, or train here again: `dvc repro --force --single-item train@{stage}`."
        )
    yield "Next: `tandem ui`."
