"""Parity that can't fail proves nothing: known differences, planted one at a time, must be reported where they are."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from experiments.contract.examples import PREFIX, architecture_of
from experiments.data.dataset import load_dataset
from experiments.frameworks import PACKAGES
from experiments.parity.examine import Examiner
from experiments.parity.protocol import EXAMPLE, FULL, base_recipe
from experiments.parity.sides import Side
from experiments.settings.params import load_params
from experiments.settings.project import Project
from experiments.settings.recipe import OptimiserName
from experiments.system.errors import TandemError
from tests import normed
from tests.conftest import ROOT
from tests.parity.planted import BuggyProcess

Examine = Callable[..., list[str]]


@pytest.fixture(scope="module")
def examine(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examine]:
    """Examine an architecture with a bug, and return the problems."""
    folder = tmp_path_factory.mktemp("planted")
    params, dataset = load_params(ROOT / "params.yaml"), load_dataset(prepared.prepared)
    first, second = (BuggyProcess(backend) for backend in PACKAGES)
    processes = dict(zip(map(Side, PACKAGES), (first, second), strict=True))
    with first, second, normed.registered():

        def run(bug: str, architecture: str, optimisers: Sequence[OptimiserName], **changes: Any) -> list[str]:
            first.bug = second.bug = bug
            recipe = base_recipe(params, architecture).model_copy(update=changes)
            # What a bug changes shows at once, but for the last batch of an epoch.
            length = FULL if bug in ("", "last batch dropped") and not architecture.startswith(PREFIX) else EXAMPLE
            examiner = Examiner(processes, dataset, recipe, folder / "steps", length)
            examiner.structure()
            return examiner.examine(optimisers).problems

        yield run


@pytest.mark.parametrize(
    ("architecture", "optimiser"),
    [
        (normed.NAME, "sgd"),
        (normed.NAME, "adam"),
        (normed.BIASED, "sgd"),
        (normed.BIASED, "adam"),
    ],
)
def test_without_a_bug_there_is_no_problem(examine: Examine, architecture: str, optimiser: OptimiserName) -> None:
    assert examine("", architecture, [optimiser]) == []


FROZEN = ["conv1", "bn1"]


def test_frozen_layers_are_the_same_in_both(examine: Examine) -> None:
    assert examine("", normed.NAME, ["sgd", "adam"], freeze=FROZEN) == []
    problems = examine("frozen statistics updated", normed.NAME, ["sgd"], freeze=FROZEN)
    assert re.match(r"sgd, float64: loss: .* apart", problems[0]), problems


LENET = [
    ("adam epsilon", "adam", r"adam, float64: step 1: conv1/weight after it: .* apart"),
    ("adam of keras", "adam", r"adam, float64: step 1: conv1/weight after it: .* apart"),
    ("nesterov", "sgd", r"sgd, float64: step 1: conv1/weight after it: .* apart"),
    ("flatten order", "sgd", r"sgd, float64: activation of dense1: .* apart"),
    ("weight decay", "sgd", r"sgd, float64: step 1: conv1/weight after it: .* apart"),
    ("zero bias", "sgd", r"initial weights of conv1/bias: lightning returns them .* away"),
    ("last batch dropped", "sgd", r"sgd, float64: step 10: loss: .* apart"),
    ("sum for mean", "sgd", r"sgd, float64: loss: .* apart"),
    ("low precision", "sgd", r"sgd, float32: activation of dense1: .* apart"),
]
CNN3 = [
    ("floor pooling", r"layer pool3: 128×4×4 in lightning, 128×3×3 in keras"),
    ("dropout keeps the rate", r"dropout layer lightning: dropout keeps 0\.(39|40).* of its inputs"),
    ("dropout off in training", r"dropout in training: lightning: the first loss with dropout is"),
    ("dropout in evaluation", r"dropout layer keras: dropout changes its input in evaluation"),
    ("the same mask", r"dropout layer lightning: dropout draws masks that agree in 1\.0000 of elements"),
]


@pytest.mark.parametrize(("bug", "optimiser", "place"), LENET)
def test_a_planted_bug_is_found_where_it_is(examine: Examine, bug: str, optimiser: OptimiserName, place: str) -> None:
    problems = examine(bug, "lenet", [optimiser])
    assert problems, "the bug went unnoticed"
    assert re.match(place, problems[0]), problems


@pytest.mark.parametrize(("bug", "place"), CNN3)
def test_a_bug_in_pooling_or_dropout_is_found_where_it_is(examine: Examine, bug: str, place: str) -> None:
    problems = examine(bug, "cnn3", [])
    assert problems, "the bug went unnoticed"
    assert re.match(place, problems[0]), problems


def test_an_option_makes_the_same_network_in_both(examine: Examine) -> None:
    options = {"filters": 4, "units": 16}
    assert examine("", "cnn3", [], options=options) == []
    problems = examine("option ignored", "cnn3", [], options=options)
    assert problems == ["layer conv1: 32×28×28 in lightning, 4×28×28 in keras"]


def test_a_network_that_can_not_be_built_is_refused(examine: Examine) -> None:
    message = (
        r"^cnn3: models_torch/cnn3\.py: expected a network for images of 28×28×1; got RuntimeError: layer pool2, given"
    )
    with pytest.raises(TandemError, match=message):
        examine("large pooling in torch", "cnn3", [])


NORMED = [
    ("momentum the other way round", r"sgd, float64: step 1: bn1/running_mean after it: .* apart"),
    ("momentum of Keras", r"sgd, float64: step 1: bn1/running_mean after it: .* apart"),
    ("epsilon of Keras", r"sgd, float64: activation of bn1: .* apart"),
    ("biased variance", r"sgd, float64: step 1: bn1/running_var after it: .* apart"),
    ("statistics not updated", r"sgd, float64: step 1: bn1/running_mean after it: .* apart"),
    ("updated in evaluation", r"sgd, float64: step 1: bn1/running_mean after it: .* apart"),
]


@pytest.mark.parametrize(("bug", "place"), NORMED)
def test_a_bug_in_a_normalisation_is_found_where_it_is(examine: Examine, bug: str, place: str) -> None:
    problems = examine(bug, normed.NAME, ["sgd"])
    assert problems, "the bug went unnoticed"
    assert re.match(place, problems[0]), problems


APART = r"first batch, float64: activation of {}: .* apart"
LAYERS = [
    ("gates of a GRU", "gru", APART.format("layer")),
    ("both biases of an LSTM", "lstm", r"layers: expected \d+ parameters in those of lightning; got \d+"),
    ("epsilon of Keras's LayerNorm", "layer-norm", APART.format("layer")),
    ("other groups", "group-norm", APART.format("layer")),
    ("slope of Keras", "leaky-relu", APART.format("layer")),
    ("slope rounded to float32", "leaky-relu", APART.format("layer")),
    ("GELU rounded to float32", "gelu", APART.format("layer")),
    (
        "asymmetric padding",
        "convolution-strided",
        r"layer layer: padding differs: \(1, 1\) in lightning and \(0, 1\) in keras$",
    ),
    (
        "dilation ignored",
        "convolution-dilated",
        r"layer layer: 4×2×2 in lightning, 4×4×4 in keras; dilation differs: \(2, 2\) in lightning and \(1, 1\) in",
    ),
    ("one slope for all", "prelu-per-channel", r"parameter layer/weight: 8 in lightning, 1 in keras"),
    ("attention without scaling", "attention", APART.format("layer/inner")),
    ("heads transposed", "attention", APART.format("layer/inner")),
    ("embedding transposed", "embedding", APART.format("layer")),
    ("embedding offset", "embedding", APART.format("layer")),
    ("channels dropped in part", "channel-dropout-2d", r"dropout layer lightning: layer does not drop a channel as a"),
    ("alpha dropout that drops to 0", "alpha-dropout", r"dropout layer lightning: layer keeps 1\.0000 of its inputs"),
    ("alpha dropout not made affine", "alpha-dropout", r"dropout layer lightning: layer keeps 1\.0000 of its inputs"),
    (
        "steps dropped",
        "channel-dropout-1d",
        r"layer layer: drops some of 28 channels in lightning, of 8 in keras",
    ),
]


@pytest.mark.parametrize(("bug", "layer", "place"), LAYERS)
def test_a_bug_in_a_layer_is_found_where_it_is(examine: Examine, bug: str, layer: str, place: str) -> None:
    problems = examine(bug, architecture_of(layer), [])  # the structure or the first batch tells
    assert problems, "the bug went unnoticed"
    assert re.match(place, problems[0]), problems
