"""From a sweep of pairs to a recipe beside the original, as a user types it, on the stand-in."""

import json
import re
from typing import Any

import pytest
from mlflow import MlflowClient
from PIL import Image

from tests.end_to_end.conftest import Clone
from tests.end_to_end.sweeps import check_every_trial_is_there_once, runs_of, start, status
from tests.end_to_end.test_sweep import kill_both

TRIALS = 6
RUN = ("tandem", "sweep", "run", "--recipe", "lenet", "--backend", "both", "--trials", str(TRIALS))


@pytest.fixture(scope="module")
def swept(clone: Clone) -> Clone:
    """A finished sweep of pairs over a recipe that learns next to nothing, killed once on its way."""

    def change(content: dict[str, Any]) -> None:
        content["sweep"].update(epochs=2, retries=5)
        content["sweep"]["recipe_spaces"]["lenet"] = {
            "lr": {"low": 0.0001, "high": 0.05, "log": True},
            "momentum": {"low": 0.0, "high": 0.9},
        }
        content["recipes"]["lenet"].update(lr=0.0001, momentum=0.0)

    clone.change_params(change)
    clone.run("dvc", "repro", "preprocess")
    kill_both(start(clone, "lenet-both", *RUN))
    clone.run(*RUN)
    return clone


def test_every_point_is_trained_in_both_frameworks_from_the_same_start(swept: Clone) -> None:
    check_every_trial_is_there_once(swept, "lenet-both", TRIALS, "keras", "lightning")
    for number in range(TRIALS):
        pair = [run for run in runs_of(swept, "lenet-both") if run.data.tags.get("trial") == str(number)]
        for same in ("lr", "momentum", "initial_weights", "batch_order"):
            assert len({run.data.params[same] for run in pair}) == 1
        assert len({run.data.tags["pair"] for run in pair}) == 1
        first, second = (run.data.metrics["objective"] for run in pair)
        assert first == pytest.approx(second, rel=0.02)
    best = status(swept, "lenet-both")["best_of"]
    assert best["lightning"]["trial"] == best["keras"]["trial"]


def test_the_report_is_in_a_folder_and_in_mlflow(swept: Clone) -> None:
    output = swept.run("tandem", "sweep", "report", "lenet-both")
    (correlation,) = re.findall(r"Rank correlation \(Spearman\): ([\d.]+) over 6 points", output)
    assert float(correlation) > 0.9
    folder = swept.root / "reports" / "sweeps" / "lenet-both"
    pictures = ["history", "slices", "contour", "intermediate_values", "pairs"]
    for name in pictures:
        with Image.open(folder / f"{name}.png") as picture:
            assert min(picture.size) > 300
            assert len(picture.convert("L").getcolors() or []) > 5  # not a blank sheet
    swept_json = json.loads((folder / "sweep.json").read_text())
    assert swept_json["importance"] == {"why_not": "it takes 20 complete trials that didn't diverge, and there are 6"}
    assert len(swept_json["made_from"]["runs"]) == 1 + 2 * TRIALS
    found = json.loads((folder / "pairs.json").read_text())
    assert found["spearman"] == pytest.approx(float(correlation), abs=5e-4)
    (parent,) = [run for run in runs_of(swept, "lenet-both") if "trial" not in run.data.tags]
    kept = {file.path for file in MlflowClient().list_artifacts(parent.info.run_id)}
    assert {f"{name}.png" for name in pictures} | {"sweep.json", "report.md", "trials.csv", "params.yaml"} <= kept


def test_only_what_is_confirmed_is_promoted(swept: Clone) -> None:
    before = (swept.root / "params.yaml").read_text()
    *_, said = swept.run("tandem", "sweep", "promote", "lenet-both", code=2).splitlines()
    assert said.startswith("tandem: NAME: expected a study that is confirmed; got 'lenet-both'")
    assert (swept.root / "params.yaml").read_text() == before


def test_the_winner_becomes_a_recipe_that_dvc_trains_beside_the_original(swept: Clone) -> None:
    confirm = ("tandem", "sweep", "confirm", "lenet-both", "--top", "1", "--seeds", "3")
    output = swept.run(*confirm)
    assert "the recipe's own" in output
    assert "Next: `tandem sweep promote lenet-both`" in output
    seeds = {run.data.tags["seed"] for run in runs_of(swept, "lenet-both-confirm") if "trial" in run.data.tags}
    assert seeds == {"2", "3", "4"}
    check_every_trial_is_there_once(swept, "lenet-both-confirm", 6, "keras", "lightning")
    runs = len(swept.mlflow_runs())
    confirmed = swept.json(*confirm)
    assert len(swept.mlflow_runs()) == runs
    (path,) = (swept.root / "reports" / "sweeps" / "lenet-both").glob("confirm-*.md")
    assert confirmed == json.loads(path.with_suffix(".json").read_text())
    assert "**really ahead of** trial 0 (the recipe's own settings)" in path.read_text()

    output = swept.run("tandem", "sweep", "promote", "lenet-both")
    assert "+  lenet-tuned:" in output
    assert f"Confirmation {path.stem.removeprefix('confirm-')}: trial " in output
    swept.run("dvc", "repro", "compare")
    rows = (swept.root / "reports" / "compare.md").read_text().splitlines()
    named = [row.split("|")[1].strip() for row in rows if row.startswith("| lenet")]
    assert named == ["lenet", "lenet-tuned"]
    accuracy = {}
    for recipe in named:
        metrics = json.loads((swept.root / "runs" / recipe / "keras" / "1" / "metrics.json").read_text())
        accuracy[recipe] = metrics["test/accuracy"]
    assert accuracy["lenet-tuned"] > accuracy["lenet"] + 0.2
    trained = [run for run in swept.mlflow_runs() if run.data.tags.get("recipe") == "lenet-tuned"]
    assert {run.data.params["origin"].split(",")[0] for run in trained} == {"study lenet-both"}
