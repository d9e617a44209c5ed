"""Parameters whose gradient is rounding alone, as that of a bias before a normalisation: bounds.py derives it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

import numpy as np

from experiments.parity.bounds import Key
from experiments.parity.check import GRADIENT, OUTPUT, Quantity
from experiments.parity.jobs import Start
from experiments.parity.protocol import ADAM_EPSILON


def vanishing_gradients(starts: Mapping[Key, Start], quantities: Sequence[Quantity]) -> dict[str, float]:
    """Return the parameters whose gradient is rounding alone, with the bound of their gradients' difference.

    `quantities` are those of the first batch in float64.
    """
    bounds = {quantity.where: quantity.bound for quantity in quantities}
    largest_of = {
        name: max(float(np.abs(start.computed[name]).max()) for (_, kind), start in starts.items() if kind == "float64")
        for name in bounds
        if name.startswith(GRADIENT)
    }
    return {name.removeprefix(GRADIENT): bounds[name] for name, most in largest_of.items() if 0 < most <= bounds[name]}


def adam_moves(
    rows: Sequence[Sequence[Quantity]], vanishing: Mapping[str, float], state: Container[str], lr: float
) -> list[list[Quantity]]:
    """Return the quantities of Adam's steps in float64 with the bounds of parameters whose gradient is rounding alone.

    `experiments.parity.bounds` derives them.
    """
    if not vanishing:
        return [list(row) for row in rows]
    most = max(vanishing.values())
    moved: list[list[Quantity]] = []
    for step, row in enumerate(rows, 1):
        moved.append([])
        for quantity in row:
            name = quantity.where.removeprefix(f"step {step}: ").removesuffix(" after it")
            move = step * lr / ADAM_EPSILON * (most if name in state else vanishing.get(name, 0.0))
            if name != OUTPUT:
                moved[-1].append(replace(quantity, bound=max(quantity.bound, move)))
    return moved
