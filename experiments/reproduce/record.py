"""What MLflow's record of a run says that it takes to train it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from experiments.frameworks import backend_name
from experiments.reproduce.changes import Changes, changes_of
from experiments.reproduce.required import check_complete, lacks
from experiments.reproduce.verdict import JUDGED, Trace
from experiments.settings.project import RunKey
from experiments.settings.recipe import Recipe
from experiments.system.environment import from_requirements
from experiments.system.errors import TandemError
from experiments.tracking.reader import Reader
from experiments.tracking.runs import Run, find_named

PARAMS, CHANGES, PACKAGES = "params.yaml", "git.diff", "requirements.txt"
VERSION = "version."
RUN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Trial:
    """The trial of a sweep: `epochs` is after how many it was stopped, None if that was its own end."""

    sweep: str
    number: str
    objective: str
    epochs: int | None


@dataclass(frozen=True)
class Record:
    """What a run keeps of itself.

    `settings` are those of its recipe as MLflow has them; `versions` and `packages` package → version, the latter empty
    if it wasn't recorded; `platform`, `cpu` and `python` empty if they weren't. `seconds`: how long it took.
    """

    run_id: str
    name: str
    key: RunKey
    trial: Trial | None
    commit: str
    changes: Changes
    params: str
    settings: Mapping[str, str]
    versions: Mapping[str, str]
    packages: Mapping[str, str]
    platform: str
    cpu: str
    device: str
    threads: int
    resumed_threads: str
    log_every_steps: str
    seconds: float
    trace: Trace


def read_record(reader: Reader, run: Run) -> Record:
    """Return the record of a run.

    Raises:
        TandemError: it isn't that of a training that has ended, or lacks what it takes to train it again.
    """
    tags, params = run.data.tags, run.data.params
    check_complete(run)
    trial = _trial(reader, run) if "trial" in tags else None
    files = reader.texts(tags["mlflow.parentRunId"] if trial else run.info.run_id, (PARAMS, CHANGES, PACKAGES))
    if PARAMS not in files:
        raise lacks(run, "params.yaml among its files", "restore mlruns/artifacts, or train it anew")
    return Record(
        run_id=run.info.run_id,
        name=run.info.run_name,
        key=RunKey(tags["recipe"], backend_name(tags["backend"]), int(tags["seed"])),
        trial=trial,
        commit=tags["git_commit"],
        changes=changes_of(tags, files.get(CHANGES, "")),
        params=files[PARAMS],
        settings=settings_of(run),
        versions={name.removeprefix(VERSION): value for name, value in tags.items() if name.startswith(VERSION)},
        packages=from_requirements(files.get(PACKAGES, "")),
        platform=tags.get("platform", ""),
        cpu=tags.get("cpu", ""),
        device=tags["device"],
        threads=int(params["threads"]),
        resumed_threads=tags.get("resumed.threads", ""),
        log_every_steps=params.get("log_every_steps", ""),
        seconds=((run.info.end_time or run.info.start_time) - run.info.start_time) / 1000,
        trace=read_trace(reader, run),
    )


def settings_of(run: Run) -> dict[str, str]:
    """Return the settings of a run's recipe, as MLflow has them."""
    return {name: run.data.params[name] for name in Recipe.model_fields if name in run.data.params}


def read_trace(reader: Reader, run: Run) -> Trace:
    """Return what a run keeps of its bits."""
    tags, params, run_id = run.data.tags, run.data.params, run.info.run_id
    names = [name for names in reversed(JUDGED) for name in names if name in run.data.metrics]
    return Trace(
        code=params["code"],
        data=tags["dataset_fingerprint"],
        initial_weights=params["initial_weights"],
        batch_order=params["batch_order"],
        first_batch_loss=tags.get("first_batch_loss", ""),
        losses=reader.points(run_id, "train/step_loss"),
        metrics={name: reader.points(run_id, name) for name in names},
        final_weights=tags.get("final_weights", ""),
    )


def _trial(reader: Reader, run: Run) -> Trial:
    tags = run.data.tags
    parent = reader.run(tags.get("mlflow.parentRunId", ""))
    if parent is None:
        raise lacks(run, "the run of its sweep, which holds params.yaml", "`mlflow runs restore` brings it back")
    if "log_every_steps" not in run.data.params:
        raise lacks(run, "log_every_steps", "an older version made this trial, whose code trains none alone")
    epochs = None
    if tags.get("trial_state") == "pruned":
        epochs = max(reader.points(run.info.run_id, "val/loss"))
    return Trial(tags["sweep"], tags["trial"], parent.data.params["sweep.objective"], epochs)


def find_run(reader: Reader, asked: str) -> tuple[Run, str]:
    """Return the run of that id, or the newest finished one of that name or STUDY/TRIAL, and a line if there were more.

    Raises:
        TandemError: there is none.
    """
    if RUN_ID.fullmatch(asked) and (run := reader.run(asked)):
        return run, ""
    found = [run for run in find_named(asked, reader.search) if run.info.status == "FINISHED"]
    if not found:
        raise TandemError(
            f"RUN: expected the id or the name of a finished run in MLflow, or STUDY/TRIAL; got {asked!r}; "
            "`tandem runs` lists those of the pipeline, `tandem ui` all"
        )
    run = found[0]
    line = f"{len(found)} finished runs are called {asked}; this is the newest, {run.info.run_id}"
    return run, line if len(found) > 1 else ""
