"""Which run a name means: a folder, a label, a run's id or name in MLflow, or a trial of a sweep."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from experiments.reports.measured import Measured, from_folder, from_mlflow, label_of
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.files import read_json
from experiments.tracking import runs, store
from experiments.training.outputs import RECORD

# So many names are listed at most, out of so many runs.
SHOWN, SEARCHED = 6, 1000


def find(project: Project, name: str, asked_by: str = "RUN") -> Measured:
    """Return the run of that name; files come before MLflow.

    Raises:
        TandemError: there is none, or more than one; the message names `asked_by`, and lists candidates.
    """
    outputs = {str(folder.relative_to(project.root)): folder for folder in output_folders(project)}
    for folder in (Path(name), project.root / name):
        if (folder / RECORD).is_file():
            return from_folder(folder, name)
    labelled = [where for where, folder in outputs.items() if label_of(folder) == name]
    if len(labelled) == 1:
        return from_folder(outputs[labelled[0]], labelled[0])
    if labelled:
        raise _ambiguous(asked_by, name, labelled)
    return _find_recorded(project, name, asked_by, outputs)


def output_folders(project: Project) -> list[Path]:
    """Return the folders with outputs, those of the pipeline first."""
    return [folder for place in places(project) for folder in place.run_folders() if (folder / RECORD).is_file()]


def places(project: Project) -> list[Project]:
    """Return the project with the runs of the pipeline, with those by hand, and with those of `tandem published`."""
    return [project, project.for_hand(), project.for_published()]


def _find_recorded(project: Project, name: str, asked_by: str, outputs: Mapping[str, Path]) -> Measured:
    """Return the run that MLflow knows by a name or an id."""
    by_id = {run_id: where for where, folder in outputs.items() if (run_id := _recorded_id(folder))}
    experiment = store.open_experiment(project) if name not in by_id and store.exists(project) else None
    run = runs.find_run(name) if experiment else None
    found = [run] if run else runs.find_named(name, partial(runs.search, experiment)) if experiment else []
    if len(found) > 1:
        raise _ambiguous(asked_by, name, [_line(each) for each in found])
    run_id = str(found[0].info.run_id) if found else name
    if run_id in by_id:
        return from_folder(outputs[by_id[run_id]], by_id[run_id])
    if found:
        return from_mlflow(found[0])
    known = [*map(label_of, outputs.values())]
    known += [each.info.run_name for each in runs.recent(experiment, SEARCHED)] if experiment else []
    raise _unknown(asked_by, name, list(dict.fromkeys(known)))


def _recorded_id(folder: Path) -> str | None:
    """Return the MLflow run of outputs; None: their record is damaged, which is said where they are asked for."""
    try:
        return str(read_json(folder / RECORD)["mlflow_run_id"])
    except (ValueError, KeyError, TypeError):
        return None


def _line(run: runs.Run) -> str:
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
    study = run.data.tags.get("sweep")
    name = f"{study}/{run.info.run_name}" if study else run.info.run_name
    state = "superseded" if runs.SUPERSEDED in run.data.tags else run.info.status
    return f"{run.info.run_id} ({name}, {started:%Y-%m-%d %H:%M} UTC, {state})"


def _ambiguous(asked_by: str, name: str, found: Sequence[str]) -> TandemError:
    return TandemError(f"{asked_by}: expected one run; {name!r} names {len(found)}: {_list(found)}; name one of them")


def _unknown(asked_by: str, name: str, known: Sequence[str]) -> TandemError:
    close = difflib.get_close_matches(name, known, SHOWN, cutoff=0.5) or known
    forms = "a folder such as runs/lenet/keras/12, its label, an MLflow run's id or name, or STUDY/TRIAL"
    there = f"there are {_list(close)}" if close else "there are no runs yet: `dvc repro` makes some"
    return TandemError(f"{asked_by}: expected {forms}; got {name!r}; {there}")


def _list(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
