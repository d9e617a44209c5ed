"""The commands that prove something: parse, call one function, say where the results are."""

import sys
from typing import Annotated, Any

import typer

from experiments.cli import complete
from experiments.cli.common import OnOption, engine_name, load_project, parse_options
from experiments.cli.output import Cell, JsonOption, show, table


def parity(
    architectures: Annotated[
        list[str] | None,
        typer.Argument(
            help="By default, those of the recipes that `dvc repro` trains.", autocompletion=complete.architectures
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every architecture that takes the dataset's images as they are.")
    ] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="The settings of a training too: weight decay, schedules, …")
    ] = False,
    backends: Annotated[str, typer.Option(help="The two to compare.")] = "lightning,keras",
    as_json: JsonOption = False,
) -> None:
    """Prove that the twins are the same model, trained the same way; exit code 1 where they aren't.

    Layer by layer and step by step, in float64 and float32, into reports/parity.json, .md and .png; into
    by-hand/reports/ where DVC keeps those of the pipeline.
    """
    project, params = load_project()
    from experiments.reports.page.write import refresh_page
    from experiments.settings.by_hand import for_command
    from experiments.stages.parity import parity, selected, two_backends
    from experiments.system.files import read_json

    chosen = selected(params, architectures or [], everything=everything)
    written = for_command(project, project.reports / "parity.json")
    text, passed = parity(written, params, chosen, two_backends(backends), settings=settings)
    refresh_page(project, params)
    files = "\n".join(f"{written.reports_in}/parity.{kind}" for kind in ("json", "md", "png"))
    show(read_json(written.reports / "parity.json"), text, files, as_json=as_json)
    if not passed:
        sys.exit(1)


def defaults(as_json: JsonOption = False) -> None:
    """Show the hidden defaults of the installed frameworks side by side, and what Tandem does about each."""
    from importlib.metadata import version

    from experiments.parity.defaults import read_defaults

    rows = [dict(zip(("what", "torch", "keras", "tandem"), row, strict=True)) for row in read_defaults()]
    columns: dict[str, Cell] = {"": "what"}
    columns |= {f"{package} {version(package)}": package for package in ("torch", "keras")}
    columns |= {"Tandem": "tandem"}
    shown = table(rows, columns, style=lambda row: None if row["torch"] == row["keras"] else "bold")
    shown.show_lines = True
    hint = "Bold: they differ. Next: `tandem parity` proves that what Tandem does about it works."
    show(rows, shown, hint, as_json=as_json)


def layers(
    chosen: Annotated[
        list[str] | None,
        typer.Argument(metavar="LAYERS", help="Names of the table; by default, all.", autocompletion=complete.layers),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the table of all layers to docs/layers.md.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove every layer that Tandem knows, in a small network of its own; exit code 1 where one differs."""
    project, params = load_project()
    from experiments.data.dataset import load_dataset
    from experiments.parity.layers import layers_document, prove_layers
    from experiments.system.errors import TandemError
    from experiments.system.files import write_atomically

    if write and chosen:
        raise TandemError("--write: expected no LAYERS, since docs/layers.md has all; got some; leave them out")
    proven = prove_layers(load_dataset(project.prepared), params, chosen or [])
    rows = [vars(row) for row in proven]
    if write:
        write_atomically(project.root / "docs" / "layers.md", layers_document(proven))
    columns: dict[str, Cell] = {
        "layer": "layer",
        "PyTorch": "torch",
        "Keras": "keras",
        "defaults that differ: PyTorch / Keras": lambda row: "\n".join(row["differ"]),
        "parity": lambda row: row["problems"][0] if row["problems"] else "yes",
    }
    shown = table(rows, columns, style=lambda row: "bold red" if row["problems"] else None)
    shown.show_lines = True
    show(rows, shown, "Next: docs/layers.md says what Tandem does about each.", as_json=as_json)
    if any(row.problems for row in proven):
        sys.exit(1)


def shapes(
    architecture: Annotated[
        str,
        typer.Argument(help="A name that `models_torch` and `models_tf` have.", autocompletion=complete.architectures),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, as in a recipe's `options`; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the layers of an architecture: output shapes by formula and as measured, parameters, multiply-adds.

    For the images of the project's dataset; where there is none, for those of MNIST.
    """
    from experiments.contract.layers import shown
    from experiments.data.known import shape_and_classes
    from experiments.parity.shapes import describe_both, rows
    from experiments.settings.project import Project

    project = Project.find()
    images = shape_and_classes(project.data, project.prepared)
    layers = rows(describe_both(architecture, parse_options(option or []), images))
    counts = ("parameters", "multiply_adds")
    total: dict[str, Any] = {"layer": "total", "kind": "", "formula": None, "torch": (), "keras": ()}
    total |= {count: sum(layer[count] for layer in layers) for count in counts}
    columns: dict[str, Cell] = {
        "layer": "layer",
        "kind": "kind",
        "formula": lambda row: shown(row["formula"] or ()),
        "PyTorch (c×h×w)": lambda row: shown(row["torch"]),
        "Keras (h×w×c)": lambda row: shown(row["keras"]),
        "parameters": lambda row: f"{row['parameters']:,}" if row["parameters"] else "",
        "multiply-adds": lambda row: f"{row['multiply_adds']:,}" if row["multiply_adds"] else "",
    }
    made = table(layers, columns, right=("parameters", "multiply-adds"), total=total)
    made.title = architecture
    hint = f"Next: `tandem parity {architecture}` proves that the two are the same model."
    content = {"architecture": architecture, "layers": layers, **{count: total[count] for count in counts}}
    show(content, made, hint, as_json=as_json)


def published(
    recipes: Annotated[
        list[str] | None,
        typer.Argument(help="By default, those with published results.", autocompletion=complete.recipes),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every recipe in params.yaml.")] = False,
    seeds: Annotated[int, typer.Option(min=2, help="How many: 1, 2, … up to it.")] = 3,
    on: OnOption = "local",
    workers: Annotated[int, typer.Option(min=1, help="Trainings at the same time; they share cores or GPUs.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Train recipes with several seeds in both backends, and show published results beside ours.

    Takes long. Trainings that are done stay done; after a stop, the same command resumes.
    """
    project, params = load_project()
    from experiments.reports.batch import Place
    from experiments.reports.page.write import refresh_page
    from experiments.reports.published import PUBLISHED, reproduce
    from experiments.system.files import read_json

    place = Place(engine_name(on), workers)
    chosen = list(params.recipes if everything else dict.fromkeys(recipes or PUBLISHED))
    text = reproduce(project, params, chosen, range(1, seeds + 1), place)
    refresh_page(project, params)
    lines = (
        "reports/published.md\nreports/published.json",
        "Next: `tandem ui` shows the learning curves of every seed.",
    )
    show(read_json(project.reports / "published.json"), text, *lines, as_json=as_json)
