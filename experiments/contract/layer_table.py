"""The layers of a network as a table."""

from collections.abc import Sequence

from tabulate import tabulate

from experiments.contract.layers import Layer, shown


def layer_rows(layers: Sequence[Layer]) -> list[tuple[str, ...]]:
    """Return path, kind, output (channels first), parameters and multiply-adds per image of each layer, and a total."""
    rows: list[tuple[str, ...]] = []
    for layer in layers:
        counts = (f"{count:,}" if count else "" for count in (layer.parameters, layer.multiply_adds))
        rows.append((layer.path, layer.kind, shown(layer.output), *counts))
    parameters, multiply_adds = sum(layer.parameters for layer in layers), sum(layer.multiply_adds for layer in layers)
    return [*rows, ("total", "", "", f"{parameters:,}", f"{multiply_adds:,}")]


def layer_table(layers: Sequence[Layer]) -> str:
    """Return `layer_rows` as Markdown."""
    header = ("layer", "kind", "output", "parameters", "multiply-adds")
    align = ("left", "left", "left", "right", "right")
    return tabulate(layer_rows(layers), header, tablefmt="pipe", colalign=align, disable_numparse=True) + "\n"
