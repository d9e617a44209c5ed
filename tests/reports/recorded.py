"""Runs as the pipeline leaves them, which nobody has trained: outputs with whole records, and runs in MLflow."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from benchmarks.made_up import SavesNothing, Size, outputs
from experiments.contract.model import Model
from experiments.frameworks import backend_name
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.tracking import runs
from experiments.training.outputs import PREDICTIONS, Outputs, format_answers, write_outputs

VERSIONS = {
    "lightning": {"torch": "2.13.0", "lightning": "2.6.6"},
    "keras": {"tensorflow": "2.21.0", "keras": "3.15.1"},
}


def recorded(params: Params, backend: str, right: int = 190, **changes: Any) -> Outputs:
    """Return what a training of lenet leaves that has so many of 200 images right; `changes` are of its recipe."""
    made = outputs(RunKey("lenet", backend_name(backend), 12), right, Size())
    recipe = params.recipe("lenet").model_copy(update=changes).model_dump()
    tags = {"recipe": "lenet", "backend": backend, "seed": "12", "pair": "p", "dataset": "small", "device": "cpu"}
    tags |= {"dataset_fingerprint": "d" * 64, "git_commit": "c" * 40, "git_dirty": "false"}
    start = {"seed": 12, "code": backend, "threads": 1, "initial_weights": "w" * 64, "batch_order": "o" * 64}
    environment = {"device": "cpu", "threads": "1", "python": "3.11.7", "numpy": "2.4.6", **VERSIONS[backend]}
    return replace(made, record={**made.record, **start, "recipe": recipe, "tags": tags, "environment": environment})


def write(project: Project, left: Outputs, seed: int = 12) -> Path:
    """Write outputs where those of the pipeline are; return the folder."""
    folder = project.run(RunKey("lenet", backend_name(left.record["tags"]["backend"]), seed))
    write_outputs(folder, left, cast(Model, SavesNothing()))
    return folder


def log(experiment: str, name: str, left: Outputs, folder: Path | None = None, **tags: str) -> str:
    """Write a run to MLflow as a training does, with its predictions if there is a folder for them; return its id."""
    record = left.record
    params = {name: value for name, value in record["recipe"].items() if value not in (None, {})}
    params |= {
        name: value for name, value in record.items() if isinstance(value, str | int) and name != "mlflow_run_id"
    }
    versions = {f"version.{name}": number for name, number in VERSIONS[record["tags"]["backend"]].items()}
    points = [(name, value, 3) for name, value in {**left.metrics, "system/memory": 1.0}.items()]
    run_id = runs.write_run(experiment, name, tags={**record["tags"], **versions, **tags}, params=params, points=points)
    if folder:
        (folder / PREDICTIONS).write_text(format_answers(left))
        runs.add_files(run_id, [folder / PREDICTIONS])
    return run_id
