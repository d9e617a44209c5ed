"""The layers of an architecture in both frameworks, side by side: `tandem shapes`."""

from collections.abc import Mapping

from experiments.contract.backend import ModelSettings
from experiments.contract.layers import Layer, check_outputs, expected_output, multiply_adds, shown
from experiments.data.dataset import IMAGE_SHAPE
from experiments.frameworks import check_architecture, takes_dropout
from experiments.parity.check import check_structure
from experiments.parity.jobs import Description, describe, run_once
from experiments.system.errors import TandemError

CLASSES = 10
Row = tuple[str, str, str, str, str, str, str]


def describe_both(architecture: str) -> dict[str, Description]:
    """Build an architecture in both frameworks, and return their descriptions by backend.

    Raises:
        TandemError: only one framework or none has the architecture, a framework can't run it, its layers differ
            between the two, or an output has another shape than the formula gives.
    """
    check_architecture(architecture, asked_by="ARCHITECTURE")
    dropout = 0.0 if takes_dropout(architecture) else None
    settings = ModelSettings(architecture, IMAGE_SHAPE, CLASSES, dropout, scale=1.0, offset=0.0)
    sides = run_once("shapes", architecture, describe, settings)
    for backend, side in sides.items():
        check_outputs(f"{architecture}, {backend}", side.layers)
    if problem := check_structure(sides):
        raise TandemError(f"{architecture}: expected the same layers in both frameworks; got {problem}")
    return sides


def rows(sides: Mapping[str, Description]) -> list[Row]:
    """Return for each layer: path, kind, formula, PyTorch (c, h, w), Keras (h, w, c), parameters, multiply-adds.

    The last row is the total.
    """
    first, second = (side.layers for side in sides.values())
    by_path = {layer.path: layer for layer in second}
    total = ("total", "", "", "", "", f"{sum(layer.parameters for layer in first):,}", f"{multiply_adds(first):,}")
    return [*(_row(layer, by_path[layer.path]) for layer in first), total]


def _row(left: Layer, right: Layer) -> Row:
    channels, *sizes = right.output
    formula = expected_output(left)
    return (
        left.path,
        left.kind,
        shown(formula) if formula else "",
        shown(left.output),
        shown((*sizes, channels)),
        f"{left.parameters:,}" if left.parameters else "",
        f"{left.multiply_adds:,}" if left.weights else "",
    )
