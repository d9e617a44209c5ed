"""What `tandem convert` refuses before any work starts, and what it says of answers; end_to_end/ converts real runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.convert.convert import Wish, check_out, convert
from experiments.convert.proof import compare_answers
from experiments.convert.source import source_of
from experiments.data.dataset import load_dataset
from experiments.reports.measured import Measured
from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.stages.preprocess import preprocess
from experiments.system.errors import TandemError
from experiments.training.code import code_of, digest_of
from tests.reports.recorded import recorded, write

LABEL, WHERE = "lenet-keras-12", "runs/lenet/keras/12"


def left(project: Project, params: Params, weights: str = "w" * 64, dataset: str = "d" * 64, **changes: Any) -> None:
    """Write the outputs of a run, which nobody has trained."""
    made = recorded(params, "keras", **changes)
    tags = {**made.record["tags"], "dataset_fingerprint": dataset}
    write(project, replace(made, record={**made.record, "tags": tags, "final_weights": weights}))


def refusal(project: Project, run: str = LABEL, to: str | None = None, out: Path | None = None) -> str:
    before = sorted(project.root.rglob("*"))
    with pytest.raises(TandemError) as refused:
        convert(project, Wish(run, to, out))
    assert sorted(project.root.rglob("*")) == before
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_can_t_be_converted_is_refused_in_one_line(project: Project, params: Params, idx_folder: Path) -> None:
    preprocess(params.preprocess, idx_folder, project.prepared)
    left(project, params)
    assert refusal(project, "nosuch").startswith("RUN: expected a folder such as runs/lenet/keras/12, its label")
    assert refusal(project, to="keras") == (
        f"--to: expected lightning, since {WHERE} was trained in keras; got 'keras'; leave it out"
    )
    assert refusal(project, to="jax") == "--to: expected one of lightning, keras; got 'jax'"
    assert refusal(project, out=project.runs) == (
        f"--out: expected a new folder, or that of an earlier conversion; got {project.runs}, which is something "
        "else; name another"
    )
    assert f"{WHERE}: expected its data, fingerprint {'d' * 12}, in prepared/; got" in refusal(project)
    left(project, params, dataset=load_dataset(project.prepared).fingerprint)
    (project.root / WHERE / "model" / "model").unlink()
    assert refusal(project) == f"RUN: {WHERE}: expected its saved model; it keeps none; train it again"
    left(project, params, architecture="nosuch")
    assert f"{WHERE}: architecture: expected one of mlp, " in refusal(project)
    left(project, params, weights="")
    assert "expected the record of a complete training; it lacks final_weights; name another" in refusal(project)
    left(project, params, momentum=None)
    assert "expected the record of a recipe as it is written now; got another recipe" in refusal(project)


def measured(**settings: str) -> Measured:
    kept = {"recipe": "cnn3", "backend": "lightning", "seed": "1", "architecture": "cnn3", "scaling": "unit"}
    kept |= {"optimiser": "sgd", "lr": "0.1", "momentum": "0.0", "batch_size": "8", "epochs": "1", "dropout": "0.4"}
    kept |= {"dataset_fingerprint": "d", "code": "c"}
    return Measured("t02-lightning", "MLflow run 0", "0" * 32, kept | settings, {}, None, "w")


def test_a_sweep_keeps_no_models_of_its_trials() -> None:
    with pytest.raises(TandemError, match=r"got t02-lightning, a trial, and a sweep keeps no models of its trials"):
        source_of(measured(sweep="s", trial="2"))


def test_other_code_is_noticed_and_other_versions_are_not() -> None:
    code = code_of("lightning", "cnn3")
    older = {**code, "versions": {**code["versions"], "torch": "1.0"}}
    assert not source_of(measured(code=digest_of(code))).code_changed
    assert not source_of(measured(code=digest_of(older), **{"version.torch": "1.0"})).code_changed
    assert source_of(measured(code=digest_of({**code, "modules": {}}))).code_changed


def test_only_an_earlier_conversion_is_replaced(tmp_path: Path) -> None:
    check_out(tmp_path / "new")
    check_out(tmp_path)
    (tmp_path / "model").mkdir()
    with pytest.raises(TandemError, match="something else"):
        check_out(tmp_path)
    (tmp_path / "conversion.json").touch()
    check_out(tmp_path)
    (tmp_path / "notes.md").touch()
    for other in (tmp_path, tmp_path / "notes.md"):
        with pytest.raises(TandemError, match="something else"):
            check_out(other)


def test_answers_that_differ_are_counted_with_their_margins() -> None:
    first = np.array([[1.0, 0.0], [0.3, 0.5], [0.0, 2.0]], np.float32)
    second = np.array([[1.0, 0.1], [0.5, 0.4], [0.0, 2.0]], np.float32)
    found = compare_answers(first, second)
    assert (found["images"], found["alike"]) == (3, 2)
    assert found["largest_margin"] == pytest.approx(0.2)
    assert found["largest_logit_difference"] == pytest.approx(0.2)
    assert compare_answers(first, first)["largest_margin"] is None
