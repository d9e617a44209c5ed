"""The layers of an architecture in both frameworks, side by side: `tandem shapes`."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from experiments.contract.layers import check_outputs, expected_output, multiply_adds, shown
from experiments.data.dataset import IMAGE_SHAPE, Dataset, Statistics
from experiments.frameworks import PACKAGES, check_architecture
from experiments.parity.check import Description, check_structure, read_description
from experiments.parity.protocol import base_recipe, make_job
from experiments.parity.workers import JobFailed, Worker
from experiments.settings.params import Params
from experiments.system.errors import TandemError

CLASSES = 10
Row = tuple[str, str, str, str, str, str, str]


def describe(params: Params, architecture: str) -> dict[str, Description]:
    """Build an architecture in both frameworks, each in a process of its own, and return what they measured.

    Raises:
        TandemError: there is no such architecture in both, a framework can't run it, its layers differ between the
            two, or an output has another shape than the formula gives.
    """
    check_architecture(architecture, asked_by="ARCHITECTURE")
    recipe = base_recipe(params, architecture)
    statistics: dict[str, Statistics] = {recipe.train_on: Statistics(mean=0.0, std=1.0)}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-shapes-")))
        dataset = Dataset(folder, "none", "none", IMAGE_SHAPE, CLASSES, statistics)
        workers = [stack.enter_context(Worker(name, device="cpu", threads=1)) for name in PACKAGES]
        for worker in workers:
            worker.ask(make_job("describe", recipe, dataset, images=folder, folder=folder / worker.backend))
        for worker in workers:
            try:
                worker.wait()
            except JobFailed as error:
                raise TandemError(f"{architecture}: {worker.backend} can't run it: {error}") from None
        sides = {worker.backend: read_description(folder / worker.backend) for worker in workers}
    for backend, side in sides.items():
        check_outputs(f"{architecture}, {backend}", side.layers)
    if problem := check_structure(sides):
        raise TandemError(f"{architecture}: expected the same layers in both frameworks; got {problem}")
    return sides


def rows(sides: Mapping[str, Description]) -> list[Row]:
    """Return for each layer: path, kind, formula, PyTorch (c, h, w), Keras (h, w, c), parameters, multiply-adds.

    The last row is the total.
    """
    first, second = sides.values()
    found: list[Row] = []
    by_path = {layer.path: layer for layer in second.layers}
    for left in first.layers:
        right = by_path[left.path]
        formula = expected_output(left)
        channels, *places = right.output
        found.append(
            (
                left.path,
                left.kind,
                shown(formula) if formula else "",
                shown(left.output),
                shown((*places, channels)),
                f"{left.parameters:,}" if left.parameters else "",
                f"{left.multiply_adds:,}" if left.weights else "",
            )
        )
    parameters = sum(layer.parameters for layer in first.layers)
    found.append(("total", "", "", "", "", f"{parameters:,}", f"{multiply_adds(first.layers):,}"))
    return found
