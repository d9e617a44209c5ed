"""Every layer that Tandem knows, proven in a small network; docs/layers.md is what this gives."""

import pytest

from experiments.contract.examples import examples_of
from experiments.data.dataset import load_dataset
from experiments.frameworks import PACKAGES, takes_dropout
from experiments.parity.layer_notes import NOTES
from experiments.parity.layers import LayerRow, layer_names, layers_document, prove_layers
from experiments.settings.params import load_params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from tests.conftest import ROOT

LAYERS = list(NOTES)


@pytest.fixture(scope="module")
def rows(prepared: Project) -> dict[str, LayerRow]:
    proven = prove_layers(load_dataset(prepared.prepared), load_params(ROOT / "params.yaml"), [])
    return {row.layer: row for row in proven}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_the_same_in_both_frameworks(rows: dict[str, LayerRow], layer: str) -> None:
    assert rows[layer].problems == []


def test_the_page_is_what_the_command_writes(rows: dict[str, LayerRow]) -> None:
    written = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8")
    assert layers_document(list(rows.values())) == written, "run `tandem layers --write`"


def test_defaults_that_differ_are_read_from_the_frameworks(rows: dict[str, LayerRow]) -> None:
    assert rows["leaky-relu"].differ == ["negative_slope 0.01 / negative_slope 0.3"]
    assert rows["layer-norm"].differ == ["eps 1e-05 / epsilon 0.001"]
    assert "bias_ih_l0 starts uniform ±0.408 / 0, 1, 0, 0 by gate" in rows["lstm"].differ
    assert rows["relu"].differ == []


def test_every_layer_has_a_row_and_a_note() -> None:
    assert layer_names([]) == LAYERS
    assert layer_names(["gru", "dense"]) == ["dense", "gru"]
    with pytest.raises(TandemError, match=r"^LAYERS: expected some of dense, .*; got 'grus'$"):
        layer_names(["dense", "grus"])


def test_the_calls_are_those_of_the_source() -> None:
    torch, keras = (examples_of(package) for package in PACKAGES.values())
    assert torch["group-norm"].call == "nn.GroupNorm(4, 8)"
    assert keras["group-norm"].call == "layers.GroupNormalization(4, epsilon=1e-5)"
    assert [name for name in LAYERS if takes_dropout(f"layer:{name}")] == [n for n in LAYERS if "dropout" in n]
    assert {name: one.takes_rate for name, one in torch.items()} == {
        name: one.takes_rate for name, one in keras.items()
    }
