"""Many trainings, by the workers of an engine; those that are done stay done."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.data.dataset import load_dataset
from experiments.engine.make import make_engine
from experiments.reports.outlook import Outlook
from experiments.reports.training_runs import TrainingRuns
from experiments.reports.trainings import Trainings, Wanted
from experiments.settings.engines import EngineName
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.system.console import say
from experiments.system.files import read_json
from experiments.system.locks import exclusive
from experiments.system.processes import threads_for
from experiments.tracking import store
from experiments.training.code import code_digest
from experiments.training.outputs import METRICS, RECORD, Outputs, read_outputs
from experiments.training.training import make_training


@dataclass(frozen=True)
class Place:
    """Where trainings run, and how many at a time."""

    on: EngineName = "local"
    workers: int = 1


def train_missing(
    project: Project, params: Params, keys: Sequence[RunKey], place: Place | None = None
) -> dict[RunKey, Outputs]:
    """Return the outputs of each training, after running those that are missing in `project.runs`.

    Raises:
        TandemError: a training failed; the others are kept, and a repeat resumes.
    """
    with exclusive(project.trainings, "the list of trainings"):
        missing = [key for key in keys if not is_done(project, params, key)]
        if len(missing) < len(keys):
            say(f"{len(keys) - len(missing)} of {len(keys)} trainings are done already")
        for key in set(keys) - set(missing):  # a kill may have come right before
            shutil.rmtree(project.attempts(key), ignore_errors=True)
        if missing:
            _train(project, params, missing, place or Place())
    return {key: read_outputs(project.run(key)) for key in keys}


def is_done(project: Project, params: Params, key: RunKey) -> bool:
    """Return whether the outputs exist, of the same recipe, data and code."""
    folder = project.run(key)
    recipe = params.recipe(key.recipe)
    if not (folder / METRICS).is_file():
        return False
    record = read_json(folder / RECORD)
    return (
        type(recipe).model_validate(record["recipe"]) == recipe
        and record["tags"]["dataset_fingerprint"] == load_dataset(project.prepared).fingerprint
        and record["code"] == code_digest(key.backend, recipe.architecture)
    )


def _train(project: Project, params: Params, keys: Sequence[RunKey], place: Place) -> None:
    workers = min(place.workers, len(keys))
    threads = _threads(params, place.on, workers)
    trainings = {key: replace(make_training(project, params, key), threads=threads) for key in keys}
    engine = make_engine(
        place.on,
        params.engines,
        workers=workers,
        threads=threads,
        folder=project.trainings / "engine",
        gpus=params.train.device != "cpu",
    )
    wanted = Wanted(project, trainings, params.train.device, params.sweep.retries)
    Trainings(wanted, engine, TrainingRuns(store.connect(project)), Outlook(len(keys), workers)).run()


def _threads(params: Params, on: EngineName, workers: int) -> int:
    """Return the threads of each training; on this machine, the workers share the cores unless a number is set."""
    if on not in ("local", "inline"):
        return int(getattr(params.engines, on).cpus)
    threads = threads_for(params.train.threads)
    return max(1, threads // workers) if params.train.threads == "auto" else threads
