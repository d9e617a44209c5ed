"""The layers of an architecture in both frameworks, side by side: `tandem shapes`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.contract.inputs import input_of
from experiments.contract.model_settings import ModelSettings
from experiments.contract.sizes import expected_output, wrong_output
from experiments.data.dataset import ImageShape
from experiments.data.known import MNIST
from experiments.frameworks import check_architecture, check_options, takes_dropout
from experiments.parity.check import check_structure
from experiments.parity.jobs import Description, describe
from experiments.parity.sides import run_once
from experiments.settings.recipe import Option
from experiments.system.errors import TandemError


def describe_both(
    architecture: str, options: Mapping[str, Option], images: tuple[ImageShape, int] = MNIST
) -> dict[str, Description]:
    """Build an architecture, with options of its own, in both frameworks, and return their descriptions by backend.

    A published network has its own size of images and number of classes; others have those of `images`.

    Raises:
        TandemError: only one framework or none has the architecture or an option, a framework can't run it, its layers
            differ between the two, or an output has another shape than the formula gives.
    """
    check_architecture(architecture, asked_by="ARCHITECTURE")
    check_options("--option", architecture, options)
    settings = settings_of(architecture, tuple(sorted(options.items())), images)
    sides = run_once("shapes", architecture, describe, settings)
    for backend, side in sides.items():
        if problem := wrong_output(f"{architecture}, {backend}", side.layers):
            raise TandemError(problem)
    if problem := check_structure(sides):
        raise TandemError(f"{architecture}: expected the same layers in both frameworks; got {problem}")
    return sides


def settings_of(
    architecture: str, options: tuple[tuple[str, Option], ...] = (), images: tuple[ImageShape, int] = MNIST
) -> ModelSettings:
    """Return how an architecture, with options of its own, is built for images of a shape and a number of classes."""
    dropout = 0.0 if takes_dropout(architecture) else None
    takes, (image_shape, classes) = input_of(architecture), images
    settings = ModelSettings(architecture, image_shape, takes.classes or classes, dropout, scale=1.0, offset=0.0)
    return replace(settings, size=takes.size, channels=takes.channels, options=options)


def rows(sides: Mapping[str, Description]) -> list[dict[str, Any]]:
    """Return what each layer is, its output's shape, for one image, and its counts.

    Of an image, `formula` and `torch` are (c, h, w), `keras` is (h, w, c); a block has no formula. `multiply_adds` are
    an image's. What is a layer in one framework alone is left out.
    """
    first, second = (side.layers for side in sides.values())
    outputs = {layer.path: layer.output for layer in second}
    rows = []
    for layer in (layer for layer in first if layer.path in outputs):
        output = outputs[layer.path]
        row = {"layer": layer.path, "kind": layer.kind, "formula": expected_output(layer), "torch": layer.output}
        counts = {"parameters": layer.parameters, "multiply_adds": layer.multiply_adds}
        rows.append({**row, "keras": (*output[1:], output[0]) if len(output) == 3 else output, **counts})
    return rows
