"""Every layer that Tandem knows, proven in a small network of its own: `tandem layers`, and docs/layers.md."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module

from tabulate import tabulate

from experiments.contract.examples import architecture_of, examples_of
from experiments.contract.initial import Distribution
from experiments.contract.layers import Kind, Layer
from experiments.contract.weights import Parameter
from experiments.data.dataset import IMAGE_SHAPE, Dataset
from experiments.frameworks import PACKAGES
from experiments.parity import protocol
from experiments.parity.examine import Examiner
from experiments.parity.jobs import describe
from experiments.parity.layer_notes import INTRODUCTION, NOTES
from experiments.parity.run import pair_of_processes
from experiments.parity.shapes import settings_of
from experiments.parity.sides import Processes, Side, run_on_all
from experiments.settings.params import Params
from experiments.system.console import say
from experiments.system.errors import TandemError

# The settings of PyTorch's layers that Keras has too, under its names.
SETTINGS = {
    "eps": "epsilon",
    "momentum": "momentum",
    "num_groups": "groups",
    "negative_slope": "negative_slope",
    "init": "alpha_initializer",
    "p": "rate",
    "dim": "axis",
    "bias": "use_bias",
}
Defaults = Mapping[str, object]


@dataclass(frozen=True)
class LayerRow:
    """A layer: the calls that make it, the defaults that differ, and whether parity finds it the same.

    `problems` are parity's; none: it is the same.
    """

    layer: str
    torch: str
    keras: str
    differ: list[str]
    tandem: str
    problems: list[str]


def layer_names(chosen: Sequence[str]) -> list[str]:
    """Return the layers that are asked for, all by default.

    Raises:
        TandemError: there is no such layer, or in one framework only.
    """
    first, second = (list(examples_of(package)) for package in PACKAGES.values())
    if first != second:
        apart = ", ".join(sorted({*first} ^ {*second})) or "another order"
        raise TandemError(f"layer_examples.py: expected the same layers in both frameworks; got {apart}; add them")
    for name in chosen:
        if name not in first:
            raise TandemError(f"LAYERS: expected some of {', '.join(first)}; got {name!r}")
    return [name for name in first if name in chosen] if chosen else first


def prove_layers(dataset: Dataset, params: Params, chosen: Sequence[str]) -> list[LayerRow]:
    """Examine each layer in its network, with both frameworks at work at the same time.

    Raises:
        TandemError: as `layer_names`; the images are others than MNIST's, for which these networks are made; a process
            refuses the device, or has ended.
    """
    if dataset.image_shape != IMAGE_SHAPE:
        expected = f"tandem layers: expected images of {'×'.join(map(str, IMAGE_SHAPE))}, as MNIST's"
        got = "×".join(map(str, dataset.image_shape))
        raise TandemError(f"{expected}; got {got} in prepared/; docs/layers.md has the table, proved on MNIST")
    names, rows, trained = layer_names(chosen), [], set[Kind]()
    with pair_of_processes(params, ("lightning", "keras")) as (processes, folder):
        for number, name in enumerate(names, 1):
            layer, parameters = _in_torch(processes, name)
            recipe = protocol.base_recipe(params, architecture_of(name))
            examiner = Examiner(processes, dataset, recipe, folder / "steps", protocol.EXAMPLE)
            # An optimiser treats all elements alike: the first layer of a kind that trains something shows it.
            optimisers = protocol.OPTIMISERS if parameters and layer.kind not in trained else protocol.OPTIMISERS[:1]
            trained.add(layer.kind)
            examiner.structure()
            problems = examiner.examine(optimisers).problems
            torch, keras = (examples_of(package)[name].call for package in PACKAGES.values())
            rows.append(LayerRow(name, torch, keras, list(_starts(parameters)), NOTES[name], problems))
            say(f"layer {number}/{len(names)}: {name}: {problems[0] if problems else 'the same'}")
        # Last: importing a framework before it is set up would be too early.
        sides = run_on_all(processes, "the defaults of layers", _defaults, names)
    return [replace(row, differ=[*_differ(*(side[row.layer] for side in sides.values())), *row.differ]) for row in rows]


def layers_document(rows: Sequence[LayerRow]) -> str:
    """Return docs/layers.md."""
    header = ("layer", "PyTorch", "Keras", "defaults that differ: PyTorch / Keras", "what Tandem does", "parity")
    cells = [
        (
            row.layer,
            f"`{row.torch}`",
            f"`{row.keras}`",
            "; ".join(row.differ),
            row.tandem,
            "no" if row.problems else "yes",
        )
        for row in rows
    ]
    return f"{INTRODUCTION}\n{tabulate(cells, header, tablefmt='pipe', disable_numparse=True)}\n"


def _in_torch(processes: Processes, name: str) -> tuple[Layer, list[Parameter]]:
    """Return a layer and its parameters, as PyTorch has them, which is quick to build."""
    side = next(side for side in processes if side.backend == "lightning")
    described = processes[side].call(describe, side, settings_of(architecture_of(name)))
    layer = next(one for one in described.layers if one.path in ("layer", "layer/inner"))  # what is inside ends first
    return layer, [parameter for parameter in described.parameters if parameter.name.startswith("layer/")]


def _defaults(side: Side, names: Sequence[str]) -> dict[str, Defaults]:
    """Return the defaults of each layer's class in its framework, not in Tandem's."""
    module = import_module(f"{PACKAGES[side.backend]}.layer_examples")
    return {name: dict(_settings(module.alone(name))) for name in names}


def _settings(layer: object) -> Iterator[tuple[str, object]]:
    own = next(kind for kind in type(layer).__mro__ if kind.__module__.partition(".")[0] in ("torch", "keras"))
    for name, parameter in inspect.signature(own).parameters.items():
        if name in SETTINGS or name in SETTINGS.values():
            yield name, "required" if parameter.default is inspect.Parameter.empty else parameter.default


def _differ(torch: Defaults, keras: Defaults) -> Iterator[str]:
    for name, other in SETTINGS.items():
        if name in torch and other in keras and torch[name] != keras[other]:
            yield f"{name} {torch[name]} / {other} {keras[other]}"


def _starts(parameters: Sequence[Parameter]) -> Iterator[str]:
    for parameter in parameters:
        if parameter.torch != parameter.keras:
            name = parameter.name.removeprefix("layer/").removeprefix("inner/")
            yield f"{name} starts {_start(parameter.torch)} / {_start(parameter.keras)}"


def _start(drawn: Distribution) -> str:
    if drawn.rule == "constant":
        return ", ".join(f"{value:g}" for value in drawn.values) + (" by gate" if len(drawn.values) > 1 else "")
    return f"{drawn.rule} ±{drawn.scale:.3g}" if drawn.scale else drawn.rule
