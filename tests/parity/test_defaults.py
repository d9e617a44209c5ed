import pytest

from experiments.parity.defaults import TANDEM, read_defaults

Row = tuple[str, str, str]


@pytest.fixture(scope="module")
def defaults() -> dict[str, Row]:
    return {name: (torch, keras, tandem) for name, torch, keras, tandem in read_defaults()}


def test_every_default_has_an_answer_from_both_and_from_tandem(defaults: dict[str, Row]) -> None:
    assert list(defaults) == list(TANDEM)
    assert all(all(row) for row in defaults.values())


@pytest.mark.parametrize(
    ("name", "torch", "keras"),
    [
        ("dense weight", "±1.00/√fan_in", "GlorotUniform: uniform within ±1.00·√(6"),
        ("convolution weight", "±1.00/√fan_in", "GlorotUniform: uniform within ±1.00·√(6"),
        ("dense bias", "/√fan_in", "zeros"),
        ("SGD formula", "w ← w - lr·v", "w ← w + v"),
        ("Adam settings", "eps 1e-08", "epsilon 1e-07"),
        ("Adam epsilon", "√v̂ + ε", "√v + ε, before v is corrected"),
        ("weight decay, if any", "added to the gradient", "apart from the gradient"),
        ("average pooling, padded", "zeros count", "zeros don't count"),
        ("batch norm momentum", "0.10 of the new batch", "0.01 of the new batch"),
        ("batch norm variance kept", "n - 1", "divided by n"),
        ("max pooling that rounds up", "ceil_mode: 7 → 4", "padding same: 7 → 4"),
        ("cross-entropy takes", "logits", "probabilities"),
        ("layer norm epsilon", "1e-05", "0.001"),
        ("group norm epsilon", "1e-05", "0.001"),
        ("GELU in float64", "right", "wrong by 4e-09"),
        ("leaky ReLU slope", "0.01", "0.3"),
        ("leaky ReLU in float64", "right", "wrong by 2e-10"),
        ("PReLU start", "0.25", "0"),
        ("LSTM biases of a gate", "2", "1"),
        ("LSTM forget gate's bias", "as that of the other gates", "1"),
        ("GRU's first gate", "reset", "update"),
        ("embedding start", "normal, deviation 1.0", "uniform within ±0.05"),
        ("attention takes the batch", "second", "first"),
        ("same with stride 2 of 6 pixels", "refused", "0 before, 1 after"),
    ],
)
def test_the_differences_that_tandem_depends_on_still_exist(
    defaults: dict[str, Row], name: str, torch: str, keras: str
) -> None:
    assert torch in defaults[name][0]
    assert keras in defaults[name][1]
    assert defaults[name][0] != defaults[name][1]


def test_what_the_frameworks_agree_on_is_the_same_text(defaults: dict[str, Row]) -> None:
    assert defaults["last short batch"][0] == defaults["last short batch"][1] == "kept"
    assert defaults["max pooling by 2"][0] == defaults["max pooling by 2"][1] == "7 → 3"
    assert defaults["GELU"][0] == defaults["GELU"][1] == "exact"
    assert defaults["weight decay"][0] == defaults["weight decay"][1] == "none"
