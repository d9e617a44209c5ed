from pathlib import Path
from typing import cast

import numpy as np
import pytest
from scipy.stats import binom

from experiments.contract.model import Model
from experiments.frameworks import backend_name
from experiments.reports.pairs import compare_runs, mcnemar, to_markdown
from experiments.settings.params import Params
from experiments.settings.project import Project, RunKey
from experiments.stages.compare import compare
from experiments.system.errors import TandemError
from experiments.training.outputs import Outputs, write_outputs
from tests.sweep.simulated import write_dataset


def run(right: list[bool], loss: float = 0.5, weights: str = "w", pair: str = "p", device: str = "cpu") -> Outputs:
    actual = np.zeros(len(right), np.int64)
    metrics = {
        "test/accuracy": float(np.mean(right)),
        "test/loss": loss,
        "median_epoch_seconds": 2.0,
        "median_images_per_second": 100.0,
    }
    record: dict[str, object] = {
        "first_batch_loss": loss,
        "initial_weights": weights,
        "batch_order": "o",
        "mlflow_run_id": "id",
    }
    record["environment"] = {"device": device, "numpy": "2.4.6"}
    tags = {"recipe": "lenet", "backend": "keras", "seed": "1", "git_commit": "c"}
    record["tags"] = {**tags, "pair": pair, "dataset": "digits"}
    return Outputs(metrics, [{"epoch": 1.0, **metrics}], record, actual, np.where(right, 0, 1), np.ones(len(actual)))


def test_mcnemar_counts_the_images_that_one_alone_gets_right() -> None:
    a = run([True] * 8 + [False] * 2 + [True] * 90)
    b = run([False] * 8 + [True] * 2 + [True] * 90)
    result = mcnemar(a, b)
    assert (result["only_first_right"], result["only_second_right"]) == (8, 2)
    # Twice the chance of at most 2 heads in 10 tosses.
    assert result["p"] == pytest.approx(2 * binom.cdf(2, 10, 0.5))


def test_mcnemar_of_equals_is_certain() -> None:
    assert mcnemar(run([True, False]), run([True, False]))["p"] == 1


def test_a_pair_s_differences_are_second_minus_first() -> None:
    entry = compare_runs({"lightning": run([True, True], 0.5), "keras": run([True, False], 0.7)})
    assert entry["difference"]["test/accuracy"] == -0.5
    assert entry["difference"]["test/loss"] == pytest.approx(0.2)
    assert entry["same_start"] is True


def test_another_start_is_shown() -> None:
    entry = {
        "recipe": "r",
        "seed": 1,
        **compare_runs({"lightning": run([True]), "keras": run([True], weights="x")}),
    }
    assert entry["same_start"] is False
    assert "**no**" in to_markdown("mnist", [entry])


def test_another_device_is_not_taken_for_the_framework() -> None:
    a, b = run([True]), run([True], device="NVIDIA H200")
    entry = {"recipe": "r", "seed": 1, **compare_runs({"lightning": a, "keras": b})}
    assert entry["environment_differs"] == ["device: cpu (lightning), NVIDIA H200 (keras)"]
    text = to_markdown("mnist", [entry])
    assert "- r, seed 1: device: cpu (lightning), NVIDIA H200 (keras)" in text
    assert "differs" not in to_markdown(
        "mnist", [{"recipe": "r", "seed": 1, **compare_runs({"lightning": a, "keras": a})}]
    )


def test_pairs_of_different_versions_are_named() -> None:
    entries = [
        {"recipe": "r", "seed": seed, **compare_runs({"lightning": run([True], device=device)})}
        for seed, device in ((1, "cpu"), (2, "NVIDIA H200"))
    ]
    assert "- lightning: device: cpu (r, seed 1), NVIDIA H200 (r, seed 2)" in to_markdown("mnist", entries)


def test_the_stand_in_is_named_in_the_table() -> None:
    entry = {"recipe": "r", "seed": 1, **compare_runs({"lightning": run([True]), "keras": run([True])})}
    assert "stand-in" in to_markdown("digits", [entry])
    assert "stand-in" not in to_markdown("mnist", [entry])


def test_every_row_has_the_columns_of_the_header() -> None:
    for names in (("lightning", "keras"), ("keras",)):
        entry = {"recipe": "r", "seed": 1, **compare_runs({name: run([True]) for name in names})}
        rows = [line for line in to_markdown("mnist", [entry]).splitlines() if line.startswith("|")]
        assert len(rows) == 3
        assert len({row.count("|") for row in rows}) == 1


def test_a_missing_run_is_named_with_the_command_that_makes_it(project: Project, params: Params) -> None:
    with pytest.raises(
        TandemError, match=r"runs/lenet/lightning/12: run missing; `dvc repro train@lenet-lightning-12`"
    ):
        compare(project, params)


class SavesNothing:
    """The part of a model that writing outputs needs."""

    def save(self, folder: Path) -> None:
        (folder / "model").touch()


def _write(project: Project, **pairs: str) -> None:
    for backend, pair in pairs.items():
        outputs = run([True, False], pair=pair)
        write_outputs(project.run(RunKey("lenet", backend_name(backend), 12)), outputs, cast(Model, SavesNothing()))


def test_the_dataset_is_the_one_that_was_trained_on(project: Project, params: Params) -> None:
    write_dataset(project.prepared)
    _write(project, lightning="same", keras="same")
    assert "stand-in" in compare(project, params)
    assert (project.reports / "pairs" / "lenet-12.png").read_bytes().startswith(b"\x89PNG")
    assert not project.mlruns.exists()


def test_a_store_that_is_away_is_warned_of(
    project: Project, params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(project.prepared)
    _write(project, lightning="same", keras="same")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert "lenet" in compare(project, params)
    assert "WARNING: reports/index.html is not in MLflow: MLFLOW_TRACKING_URI" in capsys.readouterr().err


def test_runs_of_different_settings_are_no_pair(project: Project, params: Params) -> None:
    _write(project, lightning="one", keras="other")
    with pytest.raises(TandemError, match="expected runs of the same settings on the same data; got one and other"):
        compare(project, params)
