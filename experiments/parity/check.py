"""Holds what two processes left in files against each other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.contract.backend import Precision
from experiments.contract.layers import Layer, check_outputs, shown
from experiments.contract.weights import Parameter, draw_weights
from experiments.parity.bounds import Arrays, Four, measure
from experiments.parity.protocol import PRECISIONS, SEED
from experiments.settings.recipe import Recipe
from experiments.system.errors import TandemError
from experiments.system.files import read_json

Sides = Mapping[tuple[str, Precision], Path]


@dataclass(frozen=True)
class Quantity:
    """Something that both frameworks compute, how far apart they are in it, and how far they may be."""

    where: str
    difference: float
    bound: float

    @property
    def ratio(self) -> float:
        """The difference, as a fraction of what it may be; infinite where it is no number, or may not be at all."""
        if not math.isfinite(self.difference):
            return math.inf
        return self.difference / self.bound if self.bound else math.inf if self.difference else 0.0


@dataclass(frozen=True)
class Description:
    """A model as one framework describes it."""

    layers: list[Layer]
    parameters: list[Parameter]


def read_description(folder: Path) -> Description:
    """Read what a `describe` job left."""
    content = read_json(folder / "description.json")
    layers = [
        Layer(**{**layer, "input": tuple(layer["input"]), "output": tuple(layer["output"])})
        for layer in content["layers"]
    ]
    parameters = [Parameter(**{**one, "shape": tuple(one["shape"])}) for one in content["parameters"]]
    return Description(layers, parameters)


def check_structure(sides: Mapping[str, Description]) -> str | None:
    """Return the first layer or parameter that differs in name, kind or shape, or that its formula contradicts.

    Branches side by side run in any order, so that layers are matched by their paths.
    """
    (a, first), (b, second) = sides.items()
    layers = {layer.path: layer for layer in second.layers}
    for left in first.layers:
        right = layers.pop(left.path, None)
        if right is None:
            return f"layer {left.path}: only {a} has it"
        if left.kind != right.kind:
            return f"layer {left.path}: {left.kind} in {a}, {right.kind} in {b}"
        if left.output != right.output:
            return f"layer {left.path}: {shown(left.output)} in {a}, {shown(right.output)} in {b}"
    for path in layers:
        return f"layer {path}: only {b} has it"
    parameters = {parameter.name: parameter for parameter in second.parameters}
    for one in first.parameters:
        other = parameters.pop(one.name, None)
        if other != one:
            return f"parameter {one.name}: {shown(one.shape)} in {a}, {shown(other.shape) if other else 'none'} in {b}"
    for name in parameters:
        return f"parameter {name}: only {b} has it"
    for name, side in sides.items():
        found = sum(layer.parameters for layer in side.layers)
        all_of_them = sum(math.prod(parameter.shape) for parameter in side.parameters)
        if found != all_of_them:
            return f"layers: those of {name} are said to hold {found} parameters of {all_of_them}"
        try:
            check_outputs(name, side.layers)
        except TandemError as error:
            return str(error)
    return None


def check_weights(sides: Sides, parameters: Sequence[Parameter], recipe: Recipe) -> str | None:
    """Return the first parameter that doesn't come back from a model exactly as it was drawn."""
    exceptions = recipe.initialiser_exceptions
    drawn = draw_weights(parameters, initialiser=recipe.initialiser, seed=SEED, exceptions=exceptions)
    for (backend, precision), folder in sides.items():
        with np.load(folder / "weights.npz") as found:
            for name, value in drawn.items():
                apart = np.abs(found[name] - value).max()
                if apart != 0:
                    return f"initial weights of {name}: {backend} gives them back {apart:.1e} away, in {precision}"
    return None


def start_quantities(sides: Sides) -> dict[Precision, list[Quantity]]:
    """Return what happens to the first batch: activations from the input on, the loss, gradients from the output on."""
    found: dict[Precision, list[Quantity]] = {precision: [] for precision in PRECISIONS}
    for kind, words in (("activations", "activation of"), ("loss", ""), ("gradients", "gradient of")):
        loaded = {side: dict(np.load(folder / f"{kind}.npz")) for side, folder in sides.items()}
        names = list(next(iter(loaded.values())))
        if kind == "gradients":
            names.reverse()
        rows = {side: [np.concatenate([arrays[n].ravel() for n in names])] for side, arrays in loaded.items()}
        sizes = [next(iter(loaded.values()))[name].size for name in names]
        four = measure({side: np.stack(row) for side, row in rows.items()}, _starts(sizes))
        for precision, quantities in found.items():
            quantities.extend(_row(four, precision, 0, [f"{words} {name}".strip() for name in names]))
    return found


def step_quantities(sides: Sides, parameters: Sequence[Parameter]) -> dict[Precision, list[list[Quantity]]]:
    """Return, for each step, its loss and then every parameter after it."""
    losses = {side: np.load(folder / "losses.npy")[:, np.newaxis] for side, folder in sides.items()}
    width = sum(math.prod(parameter.shape) for parameter in parameters)
    steps = {
        (backend, precision): np.memmap(folder / "steps.bin", precision, mode="r").reshape(-1, width)
        for (backend, precision), folder in sides.items()
    }
    count = min(len(one) for one in losses.values())
    loss = measure({side: one[:count] for side, one in losses.items()}, _starts([1]))
    in_files = sorted(parameters, key=lambda parameter: parameter.name)
    sizes = [int(np.prod(parameter.shape)) for parameter in in_files]
    after = measure({side: one[:count] for side, one in steps.items()}, _starts(sizes))
    after = after.columns([in_files.index(parameter) for parameter in parameters])
    names = [parameter.name for parameter in parameters]
    found: dict[Precision, list[list[Quantity]]] = {precision: [] for precision in PRECISIONS}
    for precision, rows in found.items():
        for step in range(count):
            words = f"step {step + 1}: "
            row = list(_row(loss, precision, step, [f"{words}loss"]))
            rows.append(row + list(_row(after, precision, step, [f"{words}{name} after it" for name in names])))
        counts = [len(losses[backend, precision]) for backend, kind in sides if kind == precision]
        if len(set(counts)) > 1:
            rows.append([Quantity(f"number of steps, {' and '.join(map(str, counts))}", np.inf, 0.0)])
    return found


def _starts(sizes: Sequence[int]) -> Any:
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)


def _row(four: Four, precision: Precision, row: int, names: Sequence[str]) -> Iterator[Quantity]:
    differences: Arrays = four.difference(precision)[row]
    for name, difference, bound in zip(names, differences, four.bound(precision)[row], strict=True):
        yield Quantity(name, float(difference), float(bound))


def first_beyond(quantities: Sequence[Quantity]) -> Quantity | None:
    """Return the first quantity that is further apart than it may be."""
    return next((one for one in quantities if one.ratio > 1), None)


def largest(quantities: Sequence[Quantity]) -> Quantity:
    """Return the quantity that comes closest to its bound, or is furthest beyond it."""
    return max(quantities, key=lambda one: one.ratio)
