"""`tandem compare`: the pairs of the pipeline, or two runs of any kind."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli import complete
from experiments.cli.common import load_project
from experiments.cli.output import Cell, JsonOption, show, table
from experiments.settings.project import Project
from experiments.system.errors import TandemError

if TYPE_CHECKING:
    from rich.table import Table

# Images that are listed on the screen; JSON has them all.
SHOWN = 10
LEAST = 1e-12  # less says nothing more
DIGEST = re.compile("[0-9a-f]{16,}")


def compare(
    first: Annotated[
        str | None,
        typer.Argument(
            metavar="[A]",
            help="A folder (runs/lenet/keras/12), its label (lenet-keras-12), MLflow's id or name, or STUDY/TRIAL.",
            autocompletion=complete.runs,
        ),
    ] = None,
    second: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Another run.", autocompletion=complete.runs)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set the two runs of each pair side by side, in reports/; or, given two runs of any kind, those on the screen.

    Of two runs: settings and versions that differ, metrics, and the test images that they answer differently.
    """
    if first is not None:
        _two(first, second, as_json=as_json)
        return
    project, params = load_project()
    from experiments.stages.compare import compare
    from experiments.system.files import read_json

    text = compare(project, params)
    files = "reports/compare.md\nreports/compare.json\nreports/pairs/\nreports/index.html"
    hints = ("Next: `tandem report` opens it.", "Next: `tandem ui` opens every run in MLflow.")
    show(read_json(project.reports / "compare.json"), text, files, *hints, as_json=as_json)


def _two(first: str, second: str | None, *, as_json: bool) -> None:
    """Find two runs, and show what differs between them.

    Raises:
        TandemError: one of them is missing, unknown or ambiguous.
    """
    if second is None:
        raise TandemError(f"B: expected two runs, or none for all pairs; got {first!r} alone; name a second one")
    from experiments.reports.named import find
    from experiments.reports.two_runs import compare_two

    project = Project.find()
    a, b = find(project, first, "A"), find(project, second, "B")
    if a.run_id == b.run_id:
        raise TandemError(f"B: expected another run than A; got {first!r} and {second!r}, both {a.where}; name another")
    found = compare_two(a, b)
    show(found, *_parts(found), as_json=as_json)


def _parts(found: Mapping[str, Any]) -> "Iterator[Table | str]":
    a, b = found["runs"]
    names = _names(a, b)
    sides: dict[str, Cell] = dict(zip(names, ("first", "second"), strict=True))
    for name, run in zip(names, (a, b), strict=True):
        yield f"{name}: {run['where']}" + ("" if run["mlflow_run_id"] in run["where"] else f", {run['mlflow_run_id']}")
    if found["settings"]:
        rows = [{name: _short(value) for name, value in row.items()} for row in found["settings"]]
        yield table(rows, {"setting that differs": "setting", **sides})
    else:
        yield "No setting differs."
    yield from _metrics(found["metrics"], names)
    yield from _images(found["images"], names)


def _names(*runs: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the runs are called: by their labels, with the beginnings of their ids if these are the same."""
    labels = tuple(run["label"] for run in runs)
    same = len(set(labels)) < len(labels)
    return tuple(f"{run['label']} ({run['mlflow_run_id'][:8]})" for run in runs) if same else labels


def _metrics(metrics: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> "Iterator[Table | str]":
    both = [_metric(row) for row in metrics if row["difference"] is not None]
    columns: dict[str, Cell] = {"metric": "metric", names[0]: "first", names[1]: "second", "difference": "difference"}
    yield table(both, columns, right=(*names, "difference"))
    for name, side in zip(names, ("first", "second"), strict=True):
        if alone := [row["metric"] for row in metrics if row["difference"] is None and row[side] is not None]:
            yield f"Only {name} has {', '.join(alone)}."


def _short(value: str | None) -> str:
    """Return a setting as it is shown: of a digest, the beginning."""
    return "not set" if value is None else DIGEST.sub(lambda match: match[0][:12], value)


def _metric(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a metric that both have, as it is shown."""
    name, first, second, difference = (row[key] for key in ("metric", "first", "second", "difference"))
    if name.endswith("accuracy"):
        shown = (f"{100 * first:.2f} %", f"{100 * second:.2f} %", f"{100 * difference:+.2f} points")
    else:
        shown = (f"{first:.5g}", f"{second:.5g}", f"{difference:+.3g}")
    return dict(zip(("metric", "first", "second", "difference"), (name, *shown), strict=True))


def _images(images: Mapping[str, Any], names: tuple[str, ...]) -> "Iterator[Table | str]":
    if "not_compared" in images:
        yield f"Test images: not compared, since {images['not_compared']}."
        return
    count, alone = images["told_differently"], (images["only_first_right"], images["only_second_right"])
    yield (
        f"Test images: {count} of {images['images']} are answered differently; {alone[0]} are right in {names[0]} "
        f"alone, {alone[1]} in {names[1]} alone (exact McNemar test, p {_probability(images['p'])})."
    )
    if count:
        columns: dict[str, Cell] = {
            "image": "image",
            "label": "label",
            names[0]: lambda row: f"{row['first']} ({100 * row['first_probability']:.1f} %)",
            names[1]: lambda row: f"{row['second']} ({100 * row['second_probability']:.1f} %)",
        }
        yield table(images["differently"][:SHOWN], columns, right=("image",))
    if count > SHOWN:
        yield f"The first {SHOWN}; --json lists all {count}."


def _probability(p: float) -> str:
    return f"= {p:.2g}" if p > LEAST else f"< {LEAST:.0e}"
