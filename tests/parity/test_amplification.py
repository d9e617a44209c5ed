import numpy as np
import pytest

from experiments.parity.amplification import CALIBRATION, perturbation
from experiments.parity.bounds import MULTIPLE, TIMES
from experiments.parity.check import Quantity
from experiments.parity.jobs import Start


def start(**gradients: float) -> Start:
    return Start({}, {f"gradient of {name}": np.array([value, 0.0]) for name, value in gradients.items()})


@pytest.mark.parametrize(("rounding", "expected"), [(1e-12, TIMES * 1e-12), (1e-20, TIMES * 2.0**-53)])
def test_weights_are_perturbed_by_what_moves_gradients_as_rounding_does(rounding: float, expected: float) -> None:
    names = ("a", "b", "c")
    first = start(**dict.fromkeys(names, 1.0))
    starts = {(side, "float64"): first for side in ("lightning", "keras")}
    # Each gradient moves by as much as the weights do in one framework, and twice as much in the other.
    moved = {
        side: start(**dict.fromkeys(names, 1 + times * CALIBRATION)) for side, times in (("lightning", 1), ("keras", 2))
    }
    shares = zip(names, (1.0, 0.01, 100.0), strict=True)
    quantities = [Quantity(f"gradient of {name}", 0.0, MULTIPLE * rounding * share) for name, share in shares]
    assert perturbation(starts, moved, quantities) == pytest.approx(expected, rel=1e-3)  # type: ignore[arg-type]
