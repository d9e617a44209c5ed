"""What is known of one run: from its files where they exist, else from MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.system.urls import one_line
from experiments.tracking import runs
from experiments.tracking.reader import Reader
from experiments.training.outputs import PREDICTIONS, RECORD, Answers, Outputs, parse_answers, read_outputs

# What a run depends on, besides its recipe's keys and the versions; the names are the same in run.json and in MLflow.
START = ("seed", "code", "threads", "log_every_steps", "parameters", "multiply_adds", "initial_weights", "batch_order")
TAGS = ("recipe", "backend", "dataset", "dataset_fingerprint", "git_commit", "git_dirty", "device", "platform", "cpu")
SWEEP = ("sweep", "trial")
VERSION = "version."


@dataclass(frozen=True)
class Measured:
    """A run: where it was found, its settings as text, its final metrics, and its answers if they are kept.

    `final_weights` is the digest of its weights at the end, empty if it isn't recorded; `folder` has its outputs, None:
    MLflow alone knows the run.
    """

    label: str
    where: str
    run_id: str
    settings: Mapping[str, str]
    metrics: Mapping[str, float]
    answers: Answers | None
    final_weights: str
    folder: Path | None = None


def label_of(folder: Path) -> str:
    """Return what a folder of outputs, …/lenet/keras/12, is called: lenet-keras-12."""
    return "-".join(folder.resolve().parts[-3:])


def from_folder(folder: Path, where: str) -> Measured:
    """Return the run whose outputs are in a folder.

    Raises:
        TandemError: one of them is missing, damaged, or of an older version.
    """
    expected = f"{where}: expected the outputs of a run"
    try:
        outputs = read_outputs(folder)
        settings, run_id = _settings(outputs), outputs.record["mlflow_run_id"]
    except FileNotFoundError as error:
        lacks = Path(error.filename).name if error.filename else error
        raise TandemError(f"{expected}; it lacks {lacks}; train it again") from None
    except KeyError as error:
        raise TandemError(f"{expected}; its {RECORD} lacks {error}; train it again") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise TandemError(f"{expected}; got a damaged file: {one_line(error)}; train it again") from None
    answers = Answers(outputs.actual, outputs.predicted, outputs.probability)
    weights = outputs.record.get("final_weights", "")
    return Measured(label_of(folder), where, run_id, settings, outputs.metrics, answers, weights, folder)


def _settings(outputs: Outputs) -> dict[str, str]:
    record = outputs.record
    surroundings = {name if name in TAGS else f"{VERSION}{name}": each for name, each in record["environment"].items()}
    surroundings.pop(f"{VERSION}threads", None)
    return _chosen({**record.get("recipe", {}), **record}, {**surroundings, **record["tags"]})


def from_mlflow(run: runs.Run) -> Measured:
    """Return a run of MLflow's store."""
    data, run_id = run.data, str(run.info.run_id)
    metrics = {name: value for name, value in data.metrics.items() if not name.startswith("system/")}
    where, settings = f"MLflow run {run_id}", _chosen(data.params, data.tags)
    weights = data.tags.get("final_weights", "")
    return Measured(run.info.run_name, where, run_id, settings, metrics, _kept_answers(run_id), weights)


def _kept_answers(run_id: str) -> Answers | None:
    text = Reader().texts(run_id, [PREDICTIONS]).get(PREDICTIONS)
    try:
        return parse_answers(text) if text else None
    except ValueError:  # of an older version
        return None


def _chosen(params: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings among what a run keeps, as text, in a fixed order; what is None or empty is not set."""
    versions = sorted(name for name in tags if name.startswith(VERSION))
    found = {name: params.get(name) for name in (*Recipe.model_fields, *START)}
    found |= {name: tags.get(name) for name in (*TAGS, *SWEEP, *versions)}
    return {name: str(value) for name, value in found.items() if value not in (None, {}, "")}
