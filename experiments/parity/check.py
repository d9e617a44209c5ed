"""Compares what the two frameworks computed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.contract.layers import shown
from experiments.contract.model_settings import Precision
from experiments.contract.sizes import wrong_output
from experiments.contract.weights import FloatArray, Parameter, Weights
from experiments.contract.windows import windows_differ
from experiments.parity.bounds import Key, measure
from experiments.parity.jobs import Description, Start, Steps
from experiments.parity.protocol import PRECISIONS

GRADIENT, OUTPUT = "gradient of ", "output in evaluation"


@dataclass(frozen=True)
class Quantity:
    """Something that both frameworks compute, its difference between them, and the bound of that."""

    where: str
    difference: float
    bound: float

    @property
    def apart(self) -> str:
        """Where the frameworks are how far apart, as a message."""
        return f"{self.where}: {self.difference:.1e} apart, where {self.bound:.1e} is rounding"

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
            if left.kind == "other":
                continue
            return f"layer {path}: only {a} has it"
        if left.kind != right.kind:
            return f"layer {path}: {left.kind} in {a}, {right.kind} in {b}"
        if left.kind == "channel dropout" and left.features != right.features:
            return f"layer {path}: drops some of {left.features} channels in {a}, of {right.features} in {b}"
        why = windows_differ({a: left, b: right})
        if left.output != right.output:
            sizes = f"layer {path}: {shown(left.output)} in {a}, {shown(right.output)} in {b}"
            return f"{sizes}; {why}" if why else sizes
        if why:
            return f"layer {path}: {why}"
    # What is a layer in one framework may be a plain function in the other, as an addition: what follows it tells.
    alone = (path for path, right in second.items() if path not in first and right.kind != "other")
    return next((f"layer {path}: only {b} has it" for path in alone), None)


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


def check_weights(starts: Mapping[Key, Start], weights: Weights, what: str) -> str | None:
    """Return the first array that a model doesn't return exactly as it is in the weights, which are called `what`."""
    for (backend, precision), start in starts.items():
        for name, value in weights.items():
            difference = np.abs(start.weights[name] - value).max()
            if difference != 0:
                return f"{what} of {name}: {backend} returns them {difference:.1e} away, in {precision}"
    return None


def start_quantities(starts: Mapping[Key, Start]) -> dict[Precision, list[Quantity]]:
    """Return the quantities of the first batch: activations from the input on, loss, gradients from the output on."""
    one, *others = [start.computed for start in starts.values()]
    first = {name: value for name, value in one.items() if all(name in other for other in others)}
    row_of = {key: [start.computed[name].ravel() for name in first] for key, start in starts.items()}
    values: dict[Key, FloatArray] = {key: np.concatenate(arrays)[np.newaxis] for key, arrays in row_of.items()}
    differences = measure(values, [array.size for array in first.values()], after_steps=False)
    return {precision: _row(*differences[precision], 0, list(first)) for precision in PRECISIONS}


def step_quantities(
    trainings: Mapping[Key, Steps], parameters: Sequence[Parameter], perturbed: Mapping[str, Steps] | None = None
) -> dict[Precision, list[list[Quantity]]]:
    """Return, for each step, its loss and then, after it, parameters, state and the output in evaluation mode.

    `perturbed` are trainings by backend, in float64, from perturbed weights.
    """
    count = min(len(steps.losses) for steps in (*trainings.values(), *(perturbed or {}).values()))
    losses = {key: steps.losses[:count, np.newaxis] for key, steps in trainings.items()}
    moved = {key: steps.losses[:count, np.newaxis] for key, steps in perturbed.items()} if perturbed else None
    loss = measure(losses, [1], after_steps=True, perturbed=moved)
    outputs = min(steps.outputs for steps in trainings.values())
    sizes = [*(math.prod(parameter.shape) for parameter in parameters), outputs]

    def rows(steps: Steps, precision: Precision) -> FloatArray:
        return np.memmap(steps.file, precision, mode="r").reshape(-1, sum(sizes))[:count]

    values = {key: rows(steps, key[1]) for key, steps in trainings.items()}
    moved = {key: rows(steps, "float64") for key, steps in perturbed.items()} if perturbed else None
    after = measure(values, sizes, after_steps=True, perturbed=moved)
    quantities: dict[Precision, list[list[Quantity]]] = {}
    for precision in PRECISIONS:
        table = quantities[precision] = []
        for row in range(count):
            names = [f"step {row + 1}: {parameter.name} after it" for parameter in parameters]
            names.append(f"step {row + 1}: {OUTPUT} after it")
            first = _row(*loss[precision], row, [f"step {row + 1}: loss"])
            table.append(first + _row(*after[precision], row, names))
        counts = [len(steps.losses) for (_, other), steps in trainings.items() if other == precision]
        if len(set(counts)) > 1:
            table.append([Quantity(f"number of steps, {' and '.join(map(str, counts))}", np.inf, 0.0)])
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
