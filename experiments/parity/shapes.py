"""The layers of an architecture in both frameworks, side by side: `tandem shapes`."""

from collections.abc import Mapping

from experiments.contract.backend import ModelSettings
from experiments.contract.layers import expected_output, layer_rows, shown, wrong_output
from experiments.data.dataset import IMAGE_SHAPE
from experiments.frameworks import check_architecture, takes_dropout
from experiments.parity.check import check_structure
from experiments.parity.jobs import Description, describe, run_once
from experiments.system.errors import TandemError


def describe_both(architecture: str) -> dict[str, Description]:
    """Build an architecture in both frameworks, and return their descriptions by backend.

    Raises:
        TandemError: only one framework or none has the architecture, a framework can't run it, its layers differ
            between the two, or an output has another shape than the formula gives.
    """
    check_architecture(architecture, asked_by="ARCHITECTURE")
    dropout = 0.0 if takes_dropout(architecture) else None
    settings = ModelSettings(architecture, IMAGE_SHAPE, 10, dropout, scale=1.0, offset=0.0)
    sides = run_once("shapes", architecture, describe, settings)
    for backend, side in sides.items():
        if problem := wrong_output(f"{architecture}, {backend}", side.layers):
            raise TandemError(problem)
    if problem := check_structure(sides):
        raise TandemError(f"{architecture}: expected the same layers in both frameworks; got {problem}")
    return sides


def rows(sides: Mapping[str, Description]) -> list[tuple[str, ...]]:
    """Return for each layer: path, kind, formula, PyTorch (c, h, w), Keras (h, w, c), parameters, multiply-adds.

    The last row is the total.
    """
    first, second = (side.layers for side in sides.values())
    outputs = {layer.path: layer.output for layer in second}
    *cells, (total, *counts) = layer_rows(first)
    rows = []
    for layer, (path, kind, torch, *numbers) in zip(first, cells, strict=True):
        formula, (channels, *sizes) = expected_output(layer), outputs[path]
        rows.append((path, kind, shown(formula) if formula else "", torch, shown((*sizes, channels)), *numbers))
    return [*rows, (total, "", "", *counts)]
