"""What DVC's screens are made of; tests/end_to_end/test_pipeline.py looks at them."""

import json

import numpy as np

from experiments.reports.dvc import COLUMNS, SPLITS, curves_csv, pair_metrics
from experiments.reports.pairs import METRICS, RECORDED, compare_runs
from experiments.settings.project import RunKey
from experiments.system.colours import COLOURS
from experiments.training.outputs import Outputs
from tests.conftest import ROOT

KERAS = RunKey("mlp", "keras", 1)


def outputs(accuracy: float, **more: float) -> Outputs:
    test = {"test/loss": 1 - accuracy, "test/accuracy": accuracy}
    history = [
        {"epoch": 1.0, "train/loss": 2.0, "train/accuracy": 0.5},
        {"epoch": 2.0, "train/loss": 1.0, "train/accuracy": 0.875, **test},
    ]
    metrics = {**test, **dict.fromkeys(METRICS[2:], 1.0), **more}
    record = {**dict.fromkeys(RECORDED, 0), "environment": {}}
    answers = np.array([0, 1])
    return Outputs(metrics, history, record, answers, answers, np.ones(2))


def test_the_curves_are_a_row_for_each_epoch_and_split() -> None:
    header, *rows = curves_csv("digits", {KERAS: outputs(0.75)}).splitlines()
    assert header == ",".join(COLUMNS)
    assert rows == [
        "digits,mlp,1,keras,train,1,2.0,50.0",
        "digits,mlp,1,keras,train,2,1.0,12.5",
        "digits,mlp,1,keras,test,2,0.25,25.0",
    ]


def test_metrics_are_means_over_the_seeds_and_p_is_of_a_seed() -> None:
    runs = {
        RunKey("mlp", "lightning", 1): outputs(0.5),
        KERAS: outputs(0.75),
        RunKey("mlp", "lightning", 2): outputs(1.0),
        RunKey("mlp", "keras", 2): outputs(1.0),
    }
    pairs = []
    for seed in (1, 2):
        pair = {str(key.backend): run for key, run in runs.items() if key.seed == seed}
        pairs.append({"recipe": "mlp", "seed": seed, **compare_runs(pair)})
    assert pair_metrics(runs, pairs) == {
        "mlp": {
            "lightning": {"accuracy": 0.75},
            "keras": {"accuracy": 0.875},
            "accuracy_difference": 0.125,
            "loss_difference": -0.125,
            "mcnemar_p": {"1": 1.0, "2": 1.0},
        }
    }


def test_metrics_of_one_backend_have_no_differences() -> None:
    runs = {KERAS: outputs(0.5, **{"val/accuracy": 0.25})}
    pairs = [{"recipe": "mlp", "seed": 1, **compare_runs({"keras": runs[KERAS]})}]
    assert pair_metrics(runs, pairs) == {"mlp": {"keras": {"accuracy": 0.5, "val_accuracy": 0.25}}}


def test_the_template_knows_every_framework_and_split() -> None:
    spec = json.loads((ROOT / ".dvc" / "plots" / "pair.json").read_text())["spec"]
    assert spec["encoding"]["color"]["scale"] == {"domain": list(COLOURS), "range": list(COLOURS.values())}
    for framework in spec["layer"]:
        assert framework["layer"][0]["encoding"]["strokeDash"]["scale"]["domain"] == list(SPLITS)
