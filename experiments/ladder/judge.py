"""Whether a rung computes what NumPy's computes: in float64 to rounding, in float32 within a bound measured for it.

The bounds are those of `experiments.parity.bounds`, with NumPy in the place of the other framework: they follow from
how far float32 is from float64 within each of the two. The losses are those that a rung itself reports, step by step.
The first comes before any step, so that in float32, too, its bound is the narrow one of a first batch.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.contract.model_settings import Precision
from experiments.contract.weights import FloatArray
from experiments.ladder.climb import Climbed
from experiments.ladder.problems import PRECISIONS
from experiments.parity.bounds import Key, measure

Runs = Mapping[Precision, Climbed]


@dataclass(frozen=True)
class Difference:
    """How far a quantity is from NumPy's, at most, and how far it may be."""

    what: str
    maximum: float
    bound: float

    @property
    def share(self) -> float:
        """The part of its bound that it takes up."""
        return self.maximum / self.bound if math.isfinite(self.maximum) else math.inf

    def __str__(self) -> str:
        """Return it as a sentence without its end."""
        return f"{self.what} is {self.maximum:.1e} from NumPy's; expected at most {self.bound:.1e}"


Differences = dict[Precision, Difference]


def judge(numpy: Runs, rung: Runs, names: Sequence[str]) -> tuple[Differences, list[str]]:
    """Return how far the parameters, whose names are given, are apart, and all that is wrong; no shapes may differ."""
    if wrong := list(_misshapen(numpy, rung, names)):
        return {}, wrong
    parameters = parameters_apart(numpy, rung, names)
    every = [(kind, one) for apart in (parameters, losses_apart(numpy, rung)) for kind, one in apart.items()]
    return parameters, [f"{kind}: {one}" for kind, one in every if one.share > 1]


def parameters_apart(numpy: Runs, rung: Runs, names: Sequence[str]) -> Differences:
    """Return, in each precision, the parameter after the last step that is closest to its bound, or furthest beyond."""

    def row(run: Climbed) -> FloatArray:
        return np.concatenate([value.ravel() for value in run.trained])[np.newaxis]

    sizes = [value.size for value in numpy["float64"].trained]
    return _closest(measure(_rows(numpy, rung, row), sizes, after_steps=True), names)


def losses_apart(numpy: Runs, rung: Runs) -> Differences:
    """Return, in each precision, the loss that is closest to its bound, or furthest beyond."""
    measured = measure(_rows(numpy, rung, lambda run: run.losses[:, np.newaxis]), [1], after_steps=True)
    first = measure(_rows(numpy, rung, lambda run: run.losses[:1, np.newaxis]), [1], after_steps=False)
    for kind, (_, bounds) in first.items():
        measured[kind][1][:1] = bounds
    return _closest(measured, [f"the loss of step {step}" for step in range(1, len(numpy["float64"].losses) + 1)])


def _rows(numpy: Runs, rung: Runs, rows: Callable[[Climbed], FloatArray]) -> dict[Key, FloatArray]:
    return {(name, kind): rows(run) for name, side in (("numpy", numpy), ("rung", rung)) for kind, run in side.items()}


def _closest(measured: Mapping[Precision, tuple[FloatArray, FloatArray]], names: Sequence[str]) -> Differences:
    every = {kind: map(Difference, names, *(values.ravel() for values in measured[kind])) for kind in PRECISIONS}
    return {kind: max(differences, key=lambda one: one.share) for kind, differences in every.items()}


def _misshapen(numpy: Runs, rung: Runs, names: Sequence[str]) -> Iterator[str]:
    for kind, run in rung.items():
        expected = [value.shape for value in numpy[kind].trained]
        got = [value.shape for value in run.trained]
        if got != expected:
            yield f"{kind}: {', '.join(names)}: expected the shapes {expected}; got {got}"
        if len(run.losses) != len(numpy[kind].losses):
            yield f"{kind}: expected a loss after each of {len(numpy[kind].losses)} steps; got {len(run.losses)}"
