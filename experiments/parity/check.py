"""Compares what the two frameworks computed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from experiments.contract.backend import Precision
from experiments.contract.layers import shown, wrong_output
from experiments.contract.weights import FloatArray, Parameter, draw_weights
from experiments.parity.bounds import Key, measure
from experiments.parity.jobs import Description, Start, Steps
from experiments.parity.protocol import DROPOUT_ERROR, PRECISIONS, SEED
from experiments.settings.recipe import Recipe


@dataclass(frozen=True)
class Quantity:
    """Something that both frameworks compute, its difference between them, and the bound of that."""

    where: str
    difference: float
    bound: float

    @property
    def ratio(self) -> float:
        """The difference divided by its bound; infinite if it isn't finite, or if it isn't 0 and the bound is."""
        if not math.isfinite(self.difference):
            return math.inf
        return self.difference / self.bound if self.bound else math.inf if self.difference else 0.0


def check_structure(sides: Mapping[str, Description]) -> str | None:
    """Return the first layer or parameter whose name, kind or shape differs, or contradicts its formula."""
    if problem := _layers_differ(sides) or _parameters_differ(sides):
        return problem
    for backend, side in sides.items():
        counted = sum(layer.parameters for layer in side.layers)
        expected = sum(math.prod(parameter.shape) for parameter in side.parameters if parameter.trainable)
        if counted != expected:
            return f"layers: expected {expected} parameters in those of {backend}; got {counted}"
        if problem := wrong_output(backend, side.layers):
            return problem
    return None


def _layers_differ(sides: Mapping[str, Description]) -> str | None:
    # Matched by path: parallel branches run in any order.
    (a, first), (b, second) = ((name, {layer.path: layer for layer in side.layers}) for name, side in sides.items())
    for path, left in first.items():
        right = second.get(path)
        if right is None:
            return f"layer {path}: only {a} has it"
        if left.kind != right.kind:
            return f"layer {path}: {left.kind} in {a}, {right.kind} in {b}"
        if left.output != right.output:
            return f"layer {path}: {shown(left.output)} in {a}, {shown(right.output)} in {b}"
    return next((f"layer {path}: only {b} has it" for path in second if path not in first), None)


def _parameters_differ(sides: Mapping[str, Description]) -> str | None:
    (a, first), (b, second) = ((name, {p.name: p for p in side.parameters}) for name, side in sides.items())
    for name, left in first.items():
        right = second.get(name)
        if right is None:
            return f"parameter {name}: only {a} has it"
        if left.shape != right.shape:
            return f"parameter {name}: {shown(left.shape)} in {a}, {shown(right.shape)} in {b}"
        if left != right:
            return f"parameter {name}: {left} in {a}, {right} in {b}"
    return next((f"parameter {name}: only {b} has it" for name in second if name not in first), None)


def check_weights(starts: Mapping[Key, Start], parameters: Sequence[Parameter], recipe: Recipe) -> str | None:
    """Return the first parameter that a model doesn't return exactly as it was drawn."""
    drawn = draw_weights(parameters, recipe, seed=SEED)
    for (backend, precision), start in starts.items():
        for name, value in drawn.items():
            difference = np.abs(start.weights[name] - value).max()
            if difference != 0:
                return f"initial weights of {name}: {backend} returns them {difference:.1e} away, in {precision}"
    return None


def start_quantities(starts: Mapping[Key, Start]) -> dict[Precision, list[Quantity]]:
    """Return the quantities of the first batch: activations from the input on, loss, gradients from the output on."""
    first = next(iter(starts.values())).computed
    row_of = {key: [start.computed[name].ravel() for name in first] for key, start in starts.items()}
    values: dict[Key, FloatArray] = {key: np.concatenate(arrays)[np.newaxis] for key, arrays in row_of.items()}
    differences = measure(values, [array.size for array in first.values()])
    return {precision: _row(*differences[precision], 0, list(first)) for precision in PRECISIONS}


def step_quantities(
    trainings: Mapping[Key, Steps], parameters: Sequence[Parameter]
) -> dict[Precision, list[list[Quantity]]]:
    """Return, for each step, its loss and then, after it, parameters, state and the output in evaluation mode."""
    count = min(len(steps.losses) for steps in trainings.values())
    loss = measure({key: steps.losses[:count, np.newaxis] for key, steps in trainings.items()}, [1])
    outputs = min(steps.outputs for steps in trainings.values())
    sizes = [*(math.prod(parameter.shape) for parameter in parameters), outputs]
    values: dict[Key, FloatArray] = {
        key: np.memmap(steps.file, key[1], mode="r").reshape(-1, sum(sizes))[:count] for key, steps in trainings.items()
    }
    after = measure(values, sizes)
    quantities: dict[Precision, list[list[Quantity]]] = {}
    for precision in PRECISIONS:
        rows = quantities[precision] = []
        for row in range(count):
            names = [f"step {row + 1}: {parameter.name} after it" for parameter in parameters]
            names.append(f"step {row + 1}: output in evaluation after it")
            first = _row(*loss[precision], row, [f"step {row + 1}: loss"])
            rows.append(first + _row(*after[precision], row, names))
        counts = [len(steps.losses) for (_, other), steps in trainings.items() if other == precision]
        if len(set(counts)) > 1:
            rows.append([Quantity(f"number of steps, {' and '.join(map(str, counts))}", np.inf, 0.0)])
    return quantities


def _row(differences: FloatArray, bounds: FloatArray, row: int, names: Sequence[str]) -> list[Quantity]:
    columns = zip(names, differences[row].tolist(), bounds[row].tolist(), strict=True)
    return [Quantity(*column) for column in columns]


def first_beyond(quantities: Sequence[Quantity]) -> Quantity | None:
    """Return the first quantity whose difference exceeds its bound."""
    return next((quantity for quantity in quantities if quantity.ratio > 1), None)


def largest(quantities: Sequence[Quantity]) -> Quantity:
    """Return the quantity with the largest ratio of difference to bound."""
    return max(quantities, key=lambda quantity: quantity.ratio)


@dataclass(frozen=True)
class DropoutCheck:
    """A dropout layer: `kept` and `agree` are fractions, each with the p-value of the exact binomial test."""

    layer: str
    kept: float
    kept_p: float
    agree: float
    agree_p: float
    scaled: bool
    off_in_evaluation: bool

    @property
    def problem(self) -> str | None:
        """What is wrong, or None; by chance alone with a probability of DROPOUT_ERROR for each of the two tests."""
        if self.kept_p < DROPOUT_ERROR:
            return f"keeps {self.kept:.4f} of its inputs (p = {self.kept_p:.1g})"
        if not self.scaled:
            return "does not scale what it keeps by 1 / (1 - rate)"
        if self.agree_p < DROPOUT_ERROR:
            return f"draws masks that agree in {self.agree:.4f} of elements between steps (p = {self.agree_p:.1g})"
        if not self.off_in_evaluation:
            return "changes its input in evaluation"
        return None


def check_dropout(layer: str, *, rate: float, passes: Sequence[Sequence[FloatArray]]) -> DropoutCheck:
    """Compare a dropout layer with its definition (Srivastava et al., 2014, in the inverted form of both frameworks).

    The frameworks draw different masks, so what must agree is the distribution.
    `passes` are the input and output, of one shape, of a pass in evaluation and of two training steps. Elements whose
    input is 0 show nothing and are left out. The number of kept elements is Binomial(n, 1 - rate). The masks of two
    steps are independent, so the number of elements where they agree is Binomial(n, rate² + (1 - rate)²). What is
    kept is multiplied by 1 / (1 - rate), to two units in the last place.
    """
    evaluation, *steps = passes
    before, after = (np.stack(arrays) for arrays in zip(*steps, strict=True))
    alive, mask = before != 0, after != 0
    both = alive.all(axis=0)
    if not both.any():
        return DropoutCheck(layer, 0.0, 0.0, 0.0, 0.0, scaled=False, off_in_evaluation=False)
    kept, count = int((mask & alive).sum()), int(alive.sum())
    agree, pairs = int(((mask[0] == mask[1]) & both).sum()), int(both.sum())
    two_units = 4 * np.finfo(after.dtype).eps
    return DropoutCheck(
        layer,
        kept / count,
        float(binomtest(kept, count, 1 - rate).pvalue),
        agree / pairs,
        float(binomtest(agree, pairs, rate**2 + (1 - rate) ** 2).pvalue),
        np.allclose(after[mask], before[mask] / (1 - rate), rtol=two_units, atol=0),
        bool(np.array_equal(evaluation[0], evaluation[1])),
    )
