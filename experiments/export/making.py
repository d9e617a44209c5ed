"""One format of an export: written, tried where Tandem's sources are out of reach, and only then put in its place."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from experiments.contract.model_settings import ModelSettings
from experiments.convert.source import Source, versions_of
from experiments.data.dataset import Dataset
from experiments.export import jobs
from experiments.export.formats import PROGRAM, RECORD, Format
from experiments.export.places import check_folder
from experiments.export.reading import logits_of
from experiments.export.verdict import Reference, judge
from experiments.frameworks import DISTRIBUTIONS
from experiments.parity.sides import Side
from experiments.system.console import say
from experiments.system.errors import TandemError
from experiments.system.files import replace_folder, write_json
from experiments.system.isolated import IsolatedProcess, JobFailed


@dataclass(frozen=True)
class Origin:
    """A saved model in the framework that writes a format; `conversion`, if it isn't the run's own: its record."""

    side: Side
    process: IsolatedProcess
    saved: Path
    conversion: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Subject:
    """What is exported: the run's model, and what a file of it has to answer."""

    source: Source
    dataset: Dataset
    settings: ModelSettings
    reference: Reference


def make(kind: Format, origin: Origin, subject: Subject, work: Path, folder: Path) -> dict[str, Any]:
    """Export to a format into `folder`, by way of `work`, and return the content of export.json.

    Raises:
        TandemError: the format can't hold the model, or the file answers otherwise; nothing was written then.
    """
    run, images = subject.source.run, subject.reference.images
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        made = Path(scratch, kind.file)
        say(f"export: {run.label} as {kind.name}")
        try:
            origin.process.call(jobs.write, origin.side, subject.settings, origin.saved, kind.name, made)
        except JobFailed as error:
            problem = f"{origin.side.backend} can't write {subject.settings.architecture}: {error}"
            raise TandemError(problem, advice="choose another format") from None
        say(f"export: {kind.name}: {len(images):,} test images, in a process that can't import Tandem's sources")
        verdict = judge(subject.reference, logits_of(made, images, made.parent), subject.source)
        content = _content(kind, origin, subject, made) | {"verdict": verdict}
        check_folder(folder, kind)  # again: it may have been filled meanwhile
        with replace_folder(folder) as new:
            shutil.move(made, new / kind.file)
            shutil.copyfile(kind.program, new / PROGRAM)
            write_json(new / RECORD, content)
    return content


def _content(kind: Format, origin: Origin, subject: Subject, made: Path) -> dict[str, Any]:
    source, settings, backend = subject.source, subject.settings, origin.side.backend
    files = [path for path in (made, *made.rglob("*")) if path.is_file()]
    return {
        "run": source.run.label,
        "where": source.run.where,
        "mlflow_run_id": source.run.run_id,
        "format": kind.name,
        "file": kind.file,
        "bytes": sum(path.stat().st_size for path in files),
        "takes": {"shape": ["n", *settings.image_shape], "dtype": settings.pixel_type, "what": "raw pixels"},
        "gives": {"shape": ["n", settings.classes], "dtype": "float32", "what": "logits"},
        "trained_in": source.key.backend,
        "written_by": backend,
        "conversion": origin.conversion and {"to": backend, "compared": origin.conversion["compared"]},
        "weights": source.run.final_weights,
        "model": asdict(settings),
        "classes": subject.dataset.class_names,
        "mean": subject.dataset.statistics["train"].mean,
        "dataset": {"name": subject.dataset.name, "fingerprint": subject.dataset.fingerprint},
        "code_changed": source.code_changed,
        "trained_with": versions_of(source.run),
        "versions": _versions((*DISTRIBUTIONS[backend], *kind.writers[backend], *kind.readers)),
    }


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
