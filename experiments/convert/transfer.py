"""The model of a run, written in the format of the other framework, and what is known of it."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from experiments.contract.model_settings import ModelSettings, model_settings
from experiments.contract.weights import Weights
from experiments.convert import jobs
from experiments.convert.proof import compare_answers, compare_files, compare_recorded, summary
from experiments.convert.source import Source, versions_of
from experiments.data.dataset import Dataset
from experiments.frameworks import DISTRIBUTIONS, PACKAGES
from experiments.parity.check import check_structure
from experiments.parity.jobs import describe
from experiments.parity.protocol import FULL
from experiments.parity.sides import Processes, Side, run_on_all
from experiments.system.errors import TandemError
from experiments.system.files import digest
from experiments.system.isolated import IsolatedProcess, JobFailed


def transfer(processes: Processes, source: Source, dataset: Dataset, saved: Path, made: Path) -> dict[str, Any]:
    """Write a run's saved model, of the framework of the first process, into a new folder as one of the second.

    Returns what is known of it. The proof is of the two files, as the frameworks read them.

    Raises:
        TandemError: the files aren't those of the run, or the two models differ.
    """
    first, second = processes
    settings = model_settings(source.recipe, dataset)
    files = {first.backend: saved, second.backend: made}
    try:
        _check_twins(processes, settings)
        weights = read_weights(next(iter(processes.items())), source, settings, saved)
        processes[second].call(jobs.write, second, settings, weights, made)
        quantities = compare_files(processes, source.recipe, dataset, files, weights)
        logits = run_on_all(processes, settings.architecture, jobs.answer, settings, files, dataset)
    except JobFailed as error:
        raise TandemError(f"RUN: {source.run.where}: expected a model that both frameworks run; got {error}") from None
    answers, recorded = compare_answers(*(logits[side.backend] for side in (first, second))), source.run.answers
    return {
        "run": source.run.label,
        "where": source.run.where,
        "mlflow_run_id": source.run.run_id,
        "from": first.backend,
        "to": second.backend,
        "weights": digest(weights),
        "arrays": len(weights),
        "numbers": sum(array.size for array in weights.values()),
        "model": asdict(settings),
        "dataset": {"name": dataset.name, "fingerprint": dataset.fingerprint},
        "compared": {"batch_size": FULL.batch_size, **{kind: summary(each) for kind, each in quantities.items()}},
        "test_images": answers,
        "as_recorded": compare_recorded(logits[first.backend], recorded) if recorded else None,
        "code_changed": source.code_changed,
        "trained_with": versions_of(source.run),
        "versions": {package: version(package) for name in PACKAGES for package in DISTRIBUTIONS[name]},
    }


def _check_twins(processes: Processes, settings: ModelSettings) -> None:
    if problem := check_structure(run_on_all(processes, settings.architecture, describe, settings)):
        raise TandemError(f"{settings.architecture}: expected the same layers in both frameworks; got {problem}")


def read_weights(where: tuple[Side, IsolatedProcess], source: Source, settings: ModelSettings, saved: Path) -> Weights:
    """Return the weights of a run's saved model, once they are those that the run ended with.

    Raises:
        TandemError: they aren't, or the file is damaged.
    """
    side, process = where
    remedy = "train it again (`tandem reproduce` does, with the code of then)"
    try:
        weights = process.call(jobs.read, side, settings, saved)
    except (JobFailed, TandemError) as error:
        raise source.refuse(f"a saved model that fits {settings.architecture}; got {error}", remedy) from None
    if (got := digest(weights)) != source.run.final_weights:
        expected = f"saved weights of digest {source.run.final_weights[:12]}, as recorded; got {got[:12]}"
        raise source.refuse(expected, f"the file is damaged, or another run's: {remedy}")
    _check_finite(source, weights)
    return weights


def _check_finite(source: Source, weights: Mapping[str, Any]) -> None:
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise source.refuse(f"finite weights; got others in {name}", "the training has diverged: train another")
