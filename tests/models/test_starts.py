"""The start of every array, as the contract has it, is what each framework itself draws for a new layer."""

import math

import numpy as np
import pytest

from experiments.contract.examples import architecture_of, examples_of
from experiments.contract.initial import Distribution
from experiments.contract.weights import FloatArray
from experiments.frameworks import PACKAGES, load_backend
from experiments.parity.shapes import settings_of
from experiments.settings.recipe import BackendName
from experiments.system.isolated import IsolatedProcess

DRAWS = 3
Drawn = dict[str, tuple[Distribution, list[FloatArray]]]


def freshly_built(name: BackendName) -> Drawn:
    """Return, for each array of each layer, its distribution, and what the framework itself drew."""
    backend, drawn = load_backend(name, device="cpu", threads=1), Drawn()
    if name == "lightning":
        import torch

        torch.manual_seed(0)
    for layer in examples_of(PACKAGES[name]):
        for draw in range(DRAWS):
            model = backend.build(settings_of(architecture_of(layer)))
            own = [parameter for parameter in model.parameters() if parameter.name.startswith("layer/")]
            if not own:
                break
            weights = model.get_weights()
            for one in own:
                start = one.torch if name == "lightning" else one.keras
                _, arrays = drawn.setdefault(f"{layer}: {one.name}", (start, []))
                arrays.append(weights[one.name])
                assert len(arrays) == draw + 1
    return drawn


def is_drawn_from(start: Distribution, arrays: list[FloatArray]) -> bool:
    """Return whether arrays look as a distribution makes them; of the seeds above, they always do or never."""
    if start.rule == "constant":
        return all(np.array_equal(array, start.draw(array.shape, np.random.default_rng())) for array in arrays)
    if start.rule == "orthogonal":
        return all(np.allclose(array.T @ array, np.eye(array.shape[1]), atol=1e-5) for array in arrays)
    values = np.concatenate([array.ravel() for array in arrays])
    if start.rule == "normal":
        return bool(abs(values.std() / start.scale - 1) < 4 / math.sqrt(2 * values.size))
    # The largest of n draws is below q of the bound with probability qⁿ.
    least = 0.001 ** (1 / values.size) * start.scale
    return bool(least <= np.abs(values).max() <= start.scale * (1 + 1e-6))


@pytest.mark.parametrize("name", list(PACKAGES))
def test_the_starts_are_those_of_the_framework(name: BackendName) -> None:
    with IsolatedProcess(name) as process:
        drawn = process.call(freshly_built, name)
    assert {start.rule for start, _ in drawn.values()} >= {"uniform", "glorot uniform", "constant"}
    wrong = [
        f"{array}: {start}, largest {max(np.abs(one).max() for one in arrays):.4f}"
        for array, (start, arrays) in drawn.items()
        if not is_drawn_from(start, arrays)
    ]
    assert wrong == []
