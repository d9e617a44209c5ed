"""The files in runs/<recipe>/<backend>/<seed>/: written by train, read by compare and `tandem runs`."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.contract.model import Model
from experiments.system.files import digest, read_json, replace_folder, write_atomically, write_json
from experiments.training.resources import medians
from experiments.training.scoring import Score
from experiments.training.session import Session
from experiments.training.training import environment_of, tags_of

METRICS, RECORD, HISTORY, PREDICTIONS, MODEL = "metrics.json", "run.json", "history.csv", "predictions.csv", "model"
ANSWERS = ("actual", "predicted", "probability")


@dataclass(frozen=True)
class Answers:
    """What a model says of the test images, as in `Outputs`."""

    actual: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outputs:
    """What a training leaves.

    `metrics` are the final ones, `history` has a row for each epoch, `record` says what the run depends on, and
    `actual` and `predicted` are the classes of the test images, int64 of shape (n,); `probability` is what the model
    gives the class that it predicts, float64.
    """

    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]]
    record: Mapping[str, Any]
    actual: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]


def make_outputs(session: Session, score: Score) -> Outputs:
    """Return the outputs of a trained session, given its score on the test set."""
    state = session.state
    history = [row for _, row in sorted(state.history.items())]
    metrics = {name: value for name, value in history[-1].items() if "/" in name} | medians(history)
    record = {
        "mlflow_run_id": session.tracker.run_id,
        **session.record,
        "tags": tags_of(session.training, session.backend),
        "environment": environment_of(session.training, session.backend),
        "final_weights": digest(session.model.get_weights()),
        "first_batch_loss": state.first_batch_loss,
        "test_scorings": state.test_scorings,
    }
    actual = session.training.dataset.split("test").labels.astype(np.int64)
    return Outputs(metrics, history, record, actual, score.predicted, score.probability)


def write_outputs(folder: Path, outputs: Outputs, model: Model) -> None:
    """Replace the folder by one with the outputs; they are on disk when this returns."""
    names = list(outputs.history[-1])
    with replace_folder(folder) as new:
        (new / MODEL).mkdir()
        model.save(new / MODEL)
        history = ([row.get(n, "") for n in names] for row in outputs.history)
        write_atomically(new / HISTORY, _csv(names, history))
        write_atomically(new / PREDICTIONS, format_answers(outputs))
        write_json(new / RECORD, outputs.record)
        write_json(new / METRICS, outputs.metrics)


def format_answers(outputs: Outputs) -> str:
    """Return the answers to the test images, one a row, as `parse_answers` reads them."""
    columns = outputs.actual.tolist(), outputs.predicted.tolist(), outputs.probability.tolist()
    return _csv(ANSWERS, zip(*columns, strict=True))


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def read_outputs(folder: Path) -> Outputs:
    """Read what `write_outputs` wrote.

    Raises:
        FileNotFoundError: the folder lacks one of the files, or a column of one, as an older version left it.
    """
    with (folder / HISTORY).open() as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    try:
        answers = parse_answers((folder / PREDICTIONS).read_text())
    except ValueError as error:
        raise FileNotFoundError(f"{folder / PREDICTIONS}: {error}") from None
    # An older version kept the medians under other names.
    metrics, record = medians(rows) | read_json(folder / METRICS), read_json(folder / RECORD)
    return Outputs(metrics, rows, record, answers.actual, answers.predicted, answers.probability)


def parse_answers(text: str) -> Answers:
    """Return what is in a file of predictions.

    Raises:
        ValueError: it lacks a column, as an older version left it.
    """
    table = np.genfromtxt(io.StringIO(text), delimiter=",", names=True)
    if table.dtype.names != ANSWERS:
        raise ValueError(f"expected the columns {', '.join(ANSWERS)}")
    actual, predicted = (table[name].astype(np.int64) for name in ("actual", "predicted"))
    return Answers(actual, predicted, table["probability"])
