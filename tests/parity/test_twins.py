"""Every twin, with both optimisers and precisions; a new architecture is tested without a change here.

Those that take larger images than the dataset's are in test_heavy.py.
"""

import os
import re
from pathlib import Path

import pytest

from experiments.contract.inputs import input_of
from experiments.data.dataset import load_dataset
from experiments.frameworks import twins
from experiments.parity.protocol import FULL, Protocol
from experiments.parity.report import write_report
from experiments.parity.results import Result
from experiments.parity.run import run_parity
from experiments.parity.sides import Side, run_once
from experiments.settings.params import Params, load_params
from experiments.settings.project import Project
from experiments.stages.parity import selected, two_backends
from experiments.system.errors import TandemError
from experiments.system.files import read_json
from tests.conftest import ROOT

TWINS = [name for name in twins() if input_of(name).size is None]
# Two epochs, the last batch of each of 6 images. `tandem parity` trains for longer, as test_docs and test_pipeline do.
SHORT = Protocol(images=38, batch_size=16, epochs=2)


@pytest.fixture(scope="module", params=[SHORT, pytest.param(FULL, marks=pytest.mark.faults)], ids=["short", "full"])
def length(request: pytest.FixtureRequest) -> Protocol:
    chosen: Protocol = request.param
    return chosen


@pytest.fixture(scope="module")
def results(prepared: Project, length: Protocol) -> dict[str, Result]:
    params = load_params(ROOT / "params.yaml")
    results = run_parity(load_dataset(prepared.prepared), params, TWINS, ("lightning", "keras"), length)
    return {result.architecture: result for result in results}


@pytest.mark.parametrize("architecture", TWINS)
def test_twins_are_the_same_model(results: dict[str, Result], length: Protocol, architecture: str) -> None:
    result = results[architecture]
    assert result.problems == []
    assert {(t.optimiser, t.precision) for t in result.trainings} == {
        (optimiser, precision) for optimiser in ("sgd", "adam") for precision in ("float32", "float64")
    }
    for training in result.trainings:
        assert len(training.steps) == {SHORT: 6, FULL: 50}[length]
        # The loss and every parameter after each step; in float64, rounding alone stays far below 1e-9.
        assert all(quantity.bound > 0 for quantity in training.quantities)
        if training.precision == "float64":
            assert max(quantity.difference for quantity in training.quantities) < 1e-9


def test_every_dropout_layer_was_checked_in_both_frameworks(results: dict[str, Result]) -> None:
    layers = [check.layer for check in results["basic_cnn"].dropout]
    assert layers == [f"{backend}: dropout{n}" for backend in ("lightning", "keras") for n in (1, 2, 3)]


def test_the_report_has_every_training_with_bound_and_maximum(results: dict[str, Result], reports: Path) -> None:
    table = write_report(reports, list(results.values()), dataset="digits", backends=("lightning", "keras"))
    content = read_json(reports / "parity.json")
    assert content["passed"] is True
    trainings = [training for result in content["architectures"] for training in result["trainings"]]
    assert len(trainings) == 4 * len(TWINS)
    assert all(0 <= training["maximum"] <= training["bound"] for training in trainings)
    assert len(re.findall(r"\| yes +\|", table)) == len(TWINS)
    assert (reports / "parity.png").read_bytes().startswith(b"\x89PNG")


def test_what_to_check_is_what_is_trained_or_named_or_everything(params: Params) -> None:
    assert selected(params, [], everything=False) == ["lenet"]
    assert selected(params, ["cnn3-subclassed", "mlp"], everything=False) == ["mlp", "cnn3"]
    assert selected(params, [], everything=True) == TWINS
    assert selected(params, ["resnet101"], everything=False) == ["resnet101"]
    heavy = params.model_copy(update={"train": params.train.model_copy(update={"recipes": ("resnet101", "mlp")})})
    assert selected(heavy, [], everything=False) == ["mlp"]
    with pytest.raises(TandemError, match="ARCHITECTURE: expected one of mlp"):
        selected(params, ["nothing"], everything=False)


@pytest.mark.parametrize("text", ["keras", "keras,keras", "keras,lightning,keras"])
def test_parity_takes_two_backends(text: str) -> None:
    with pytest.raises(TandemError, match="--backends: expected two different ones, as in lightning,keras"):
        two_backends(text)


def test_what_a_process_refuses_is_one_line(prepared: Project, params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    gpu = params.model_copy(update={"train": params.train.model_copy(update={"device": "gpu"})})
    with pytest.raises(TandemError, match=r"^params\.yaml: train\.device: expected a GPU"):
        run_parity(load_dataset(prepared.prepared), gpu, ["mlp"], ("lightning", "keras"))


def end(side: Side) -> None:
    print(f"no more {side.backend}", flush=True)
    os._exit(1)


def test_a_process_that_ends_is_one_line() -> None:
    expected = r"^shapes: the lightning process ended \(no more lightning\); repeat the command$"
    with pytest.raises(TandemError, match=expected):
        run_once("shapes", "mlp", end)
