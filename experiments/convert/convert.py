"""`tandem convert`: a trained model as one of the other framework, written only if both compute the same."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.convert.loading import line_to_load
from experiments.convert.source import Source, dataset_of, find_source, saved_model
from experiments.convert.transfer import transfer
from experiments.data.dataset import Dataset
from experiments.frameworks import PACKAGES, backend_name
from experiments.parity.sides import Processes, Side
from experiments.settings.project import Project, RunKey
from experiments.settings.recipe import BackendName
from experiments.system.console import say, warn
from experiments.system.errors import TandemError
from experiments.system.files import replace_folder, scratch_folder, write_json
from experiments.system.isolated import IsolatedProcess
from experiments.system.processes import threads_for
from experiments.training.outputs import MODEL

RECORD = "conversion.json"


@dataclass(frozen=True)
class Wish:
    """What the command line asks for: `run` by a name, `to` a backend, by default the other one, `out` a folder."""

    run: str
    to: str | None = None
    out: Path | None = None


def convert(project: Project, wish: Wish) -> tuple[Path, dict[str, Any]]:
    """Convert the model of a run; return the folder that it is in, and the content of its conversion.json.

    Raises:
        TandemError: there is no such model, the folder is something else, or the two models don't compute the same;
            nothing was written then.
    """
    source = find_source(project, wish.run)
    target = _target(source, wish.to)
    out = wish.out or project.conversion(RunKey(source.key.recipe, target, source.key.seed))
    check_out(out)
    dataset = dataset_of(project, source)
    if source.code_changed:
        warn(f"{source.run.where}: the code that trained it has changed since; what is converted is today's network")
    threads = max(1, threads_for("auto") // len(PACKAGES))
    with ExitStack() as stack:
        saved = stack.enter_context(saved_model(source.run))
        sides = [Side(name, "cpu", threads) for name in (source.key.backend, target)]
        processes = {side: stack.enter_context(IsolatedProcess(f"convert: the {side.backend}")) for side in sides}
        say(f"convert: comparing {source.run.where} with what is made of it for {target}")
        content = convert_saved(processes, source, dataset, saved, out)
    if (recorded := content["as_recorded"]) and (others := recorded["images"] - recorded["alike"]):
        warn(f"{source.run.where}: {others} test images get another answer than its run recorded")
    return out, content


def convert_saved(processes: Processes, source: Source, dataset: Dataset, saved: Path, out: Path) -> dict[str, Any]:
    """Convert a saved model from the framework of the first process to that of the second, into the folder `out`.

    Raises:
        TandemError: as `convert`.
    """
    with scratch_folder("tandem-convert-") as scratch:
        made = scratch / MODEL
        content = transfer(processes, source, dataset, saved, made)
        content["load"] = line_to_load(content["to"], source.recipe.architecture, out, dataset)
        check_out(out)  # again: it may have been filled meanwhile
        with replace_folder(out) as new:
            shutil.copytree(made, new / MODEL)
            write_json(new / RECORD, content)
    return content


def _target(source: Source, to: str | None) -> BackendName:
    (other,) = set(PACKAGES) - {source.key.backend}
    if to is not None and backend_name(to, asked_by="--to") != other:
        trained = f"since {source.run.where} was trained in {source.key.backend}"
        raise TandemError(f"--to: expected {other}, {trained}; got {to!r}; leave it out")
    return other


def check_out(folder: Path) -> None:
    """Refuse a folder that a conversion must not replace.

    Raises:
        TandemError: it is there, and no earlier conversion.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else None
    if folder.exists() and names not in (set(), {MODEL, RECORD}):
        raise TandemError(
            f"--out: expected a new folder, or that of an earlier conversion; got {folder}, which is something else; "
            "name another"
        )
