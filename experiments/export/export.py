"""`tandem export`: a trained model as files for others, each written only if it answers as its run does."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.contract.model_settings import model_settings
from experiments.convert.source import Source, dataset_of, find_source, saved_model
from experiments.convert.transfer import read_weights, transfer
from experiments.data.dataset import Dataset
from experiments.export.formats import RECORD, Format, check_packages, formats_named
from experiments.export.making import Origin, Subject, make
from experiments.export.places import check_folder, work_folder
from experiments.export.verdict import reference_of
from experiments.frameworks import PACKAGES
from experiments.parity.sides import Processes, Side
from experiments.settings.project import Project
from experiments.settings.recipe import BackendName
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.isolated import IsolatedProcess, JobFailed
from experiments.system.processes import threads_for
from experiments.system.urls import one_line
from experiments.tracking import store
from experiments.tracking.exports import log_export
from experiments.training.outputs import MODEL

Row = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What the command line asks for: `run` by a name, `to` formats, `out` a folder for their folders."""

    run: str
    to: Sequence[str]
    out: Path | None = None


def export(project: Project, wish: Wish) -> tuple[Path, list[Row]]:
    """Export the model of a run; return the folder of the exports, and what became of each format.

    A row is the content of export.json; or `format` and `refused`, why nothing was written.

    Raises:
        TandemError: there is no such model or format, or a folder is something else; nothing was written then.
    """
    kinds, source = formats_named(wish.to), find_source(project, wish.run)
    out = wish.out or project.export(source.key)
    for kind in kinds:
        check_packages(kind, _writer(kind, source))
        check_folder(out / kind.name, kind)
    dataset = dataset_of(project, source)
    if source.code_changed:
        warn(f"{source.run.where}: the code that trained it has changed since; what is exported is today's network")
    # The run's own framework is the first; the other one, where it takes a conversion.
    backends = list(dict.fromkeys([source.key.backend, *(_writer(kind, source) for kind in kinds)]))
    threads = max(1, threads_for("auto") // len(backends))
    with ExitStack() as stack:
        work = stack.enter_context(work_folder(wish.out or project.exported))
        saved = stack.enter_context(saved_model(source.run))
        sides = [Side(name, "cpu", threads) for name in backends]
        processes = {side: stack.enter_context(IsolatedProcess(f"export: the {side.backend}")) for side in sides}
        folders = {kind: out / kind.name for kind in kinds}
        rows = export_saved(processes, source, dataset, saved, folders, work)
    _log(project, source.run.run_id, out, rows)
    return out, rows


def _writer(kind: Format, source: Source) -> BackendName:
    """Return the framework that writes a format: the run's own, if it can."""
    own = source.key.backend
    return own if own in kind.writers else next(name for name in PACKAGES if name in kind.writers)


def export_saved(
    processes: Processes, source: Source, dataset: Dataset, saved: Path, folders: dict[Format, Path], work: Path
) -> list[Row]:
    """Export a saved model of the framework of the first process, each format into its folder by way of `work`."""
    (side, process), *_ = processes.items()
    settings = model_settings(source.recipe, dataset)
    read_weights((side, process), source, settings, saved)
    say(f"export: {source.run.where}: what its own model answers to the test images")
    try:
        reference = reference_of(side, process, settings, saved, dataset)
    except JobFailed as error:
        raise TandemError(
            f"RUN: {source.run.where}: expected a model that answers; got {error}; train it again"
        ) from None
    subject = Subject(source, dataset, settings, reference)
    origins = _origins(processes, subject, saved, work / MODEL)
    return [_row(kind, origins[_writer(kind, source)], subject, work, folder) for kind, folder in folders.items()]


def _origins(
    processes: Processes, subject: Subject, saved: Path, made: Path
) -> dict[BackendName, Origin | TandemError]:
    """Return what each framework writes: the run's own model, or what the conversion makes of it in `made`."""
    (side, process), *others = processes.items()
    origins: dict[BackendName, Origin | TandemError] = {side.backend: Origin(side, process, saved)}
    for other, worker in others:
        say(f"export: {other.backend} by way of a conversion, which is proven first: outputs and gradients agree")
        try:
            record = transfer(processes, subject.source, subject.dataset, saved, made)
            origins[other.backend] = Origin(other, worker, made, record)
        except TandemError as error:
            origins[other.backend] = TandemError(f"it takes a conversion to {other.backend}: {error}")
    return origins


def _row(kind: Format, origin: Origin | TandemError, subject: Subject, work: Path, folder: Path) -> Row:
    try:
        if isinstance(origin, TandemError):
            raise origin
        return make(kind, origin, subject, work, folder)
    except TandemError as error:
        return {"format": kind.name, "refused": str(error)}


def _log(project: Project, run_id: str, out: Path, rows: Sequence[Row]) -> None:
    """Have MLflow keep the verdicts; where it can't, the files are good without it."""
    made = [row for row in rows if "verdict" in row]
    try:
        if not store.exists(project):
            raise TandemError("it isn't there")
        store.open_experiment(project)
        for row in made:
            found = row["verdict"]
            verdict = f"{found['alike']} of {found['images']} answers, logits {found['largest_logit_difference']:.1e}"
            log_export(run_id, row["format"], verdict, out / row["format"] / RECORD)
    except (TandemError, OSError, store.StoreError) as error:
        warn(f"MLflow's store doesn't have the verdict, {RECORD} beside the file does: {one_line(error, 200)}")
