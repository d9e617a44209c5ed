"""The `tandem` command: parse, call one function, say where the results are.

Heavy imports happen inside the commands, so that `tandem --help` answers at once.
"""

import os
import sys
from dataclasses import replace
from typing import Annotated

import typer

from experiments.cli import reproduce, sweep
from experiments.cli.common import OnOption, engine_name, load_project, print_table
from experiments.settings.project import Project
from experiments.system.errors import Stopped, TandemError

app = typer.Typer(
    help="One experiment, two frameworks: the same recipe in PyTorch Lightning and in Keras.\n\n"
    "`dvc repro` runs the stages below in their order, those whose inputs have changed. "
    "params.yaml holds every setting.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(sweep.app, name="sweep", rich_help_panel="Tuning")
STAGES, PROOF, LOOK = "Stages of the pipeline", "Proof", "Look at the results"


@app.command(rich_help_panel=STAGES)
def download() -> None:
    """Fetch MNIST into downloads/, or a stand-in where no mirror answers.

    TANDEM_MIRROR, an address or a folder, is tried before `data.mirrors` in params.yaml.
    """
    project, params = load_project()
    from experiments.stages.download import download

    name = download(project, params.data, os.environ.get("TANDEM_MIRROR"))
    print(f"downloads/: {name}")


@app.command(rich_help_panel=STAGES)
def preprocess() -> None:
    """Check the IDX files in data/, split them, and write prepared/."""
    project, params = load_project()
    from experiments.data.dataset import load_dataset
    from experiments.stages.preprocess import preprocess

    preprocess(params.preprocess, project.data, project.prepared)
    dataset = load_dataset(project.prepared)
    print(f"prepared/: {dataset.name}, {dataset.classes} classes, fingerprint {dataset.fingerprint[:12]}")


@app.command(rich_help_panel=STAGES)
def sources() -> None:
    """Write to sources/ which code and versions the trainings of each recipe depend on."""
    project, params = load_project()
    from experiments.stages.sources import write_sources

    write_sources(params, project.sources)


@app.command(rich_help_panel=STAGES)
def train(
    recipe: Annotated[str, typer.Argument(help="A name under `recipes` in params.yaml.")],
    backend: Annotated[str, typer.Argument(help="`lightning` or `keras`.")],
    seed: Annotated[int, typer.Argument(min=0, help="Draws initial weights, batch order and dropout.")],
    runs_in: Annotated[str, typer.Option(hidden=True, help="The folder for its outputs, in the project.")] = "runs",
) -> None:
    """Train one recipe in one backend with one seed, into runs/RECIPE/BACKEND/SEED/ and MLflow.

    A training that was stopped resumes from its last epoch.
    """
    project, params = load_project()
    project = replace(project, runs_in=runs_in)
    from experiments.frameworks import backend_name
    from experiments.settings.project import RunKey
    from experiments.stages.train import train

    key = RunKey(recipe, backend_name(backend), seed)
    metrics = train(project, params, key)
    folder = project.run(key).relative_to(project.root)
    print(f"{folder}: test accuracy {100 * metrics['test/accuracy']:.2f} %, test loss {metrics['test/loss']:.4f}")


@app.command(rich_help_panel=STAGES)
def compare() -> None:
    """Set the two runs of each pair side by side, in reports/."""
    project, params = load_project()
    from experiments.stages.compare import compare

    print(compare(project, params))
    print(
        "reports/compare.md\nreports/compare.json\nreports/pairs/\nreports/index.html\nNext: `tandem report` opens it."
    )
    print("Next: `tandem ui` opens every run in MLflow.")


@app.command(rich_help_panel=PROOF)
def parity(
    architectures: Annotated[
        list[str] | None, typer.Argument(help="By default, those of the recipes that `dvc repro` trains.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every architecture.")] = False,
    backends: Annotated[str, typer.Option(help="The two to compare.")] = "lightning,keras",
) -> None:
    """Prove that the twins are the same model, trained the same way; exit code 1 where they aren't.

    Layer by layer and step by step, in float64 and float32, into reports/parity.json, .md and .png.
    """
    project, params = load_project()
    from experiments.reports.page.write import refresh_page
    from experiments.stages.parity import parity, selected, two_backends

    chosen = selected(params, architectures or [], everything=everything)
    table, passed = parity(project, params, chosen, two_backends(backends))
    refresh_page(project, params)
    print(table)
    print("reports/parity.json\nreports/parity.md\nreports/parity.png")
    if not passed:
        sys.exit(1)


@app.command(rich_help_panel=PROOF)
def defaults() -> None:
    """Show the hidden defaults of the installed frameworks side by side, and what Tandem does about each."""
    from importlib.metadata import version

    from rich.table import Table

    from experiments.parity.defaults import read_defaults

    table = Table("", *(f"{package} {version(package)}" for package in ("torch", "keras")), "Tandem", show_lines=True)
    for name, torch, keras, tandem in read_defaults():
        table.add_row(name, torch, keras, tandem, style=None if torch == keras else "bold")
    print_table(table)
    print("Bold: they differ. Next: `tandem parity` proves that what Tandem does about it works.")


@app.command(rich_help_panel=PROOF)
def shapes(
    architecture: Annotated[str, typer.Argument(help="A name that `models_torch` and `models_tf` have.")],
) -> None:
    """Show the layers of an architecture: output shapes by formula and as measured, parameters, multiply-adds."""
    from rich.table import Table

    from experiments.parity.shapes import describe_both, rows

    table = Table("layer", "kind", "formula", "PyTorch (c×h×w)", "Keras (h×w×c)", title=architecture)
    table.add_column("parameters", justify="right")
    table.add_column("multiply-adds", justify="right")
    *layers, total = rows(describe_both(architecture))
    for row in layers:
        table.add_row(*row)
    table.add_section()
    table.add_row(*total)
    print_table(table)
    print(f"Next: `tandem parity {architecture}` proves that the two are the same model.")


@app.command(rich_help_panel=PROOF)
def published(
    recipes: Annotated[list[str] | None, typer.Argument(help="By default, those with published results.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every recipe in params.yaml.")] = False,
    seeds: Annotated[int, typer.Option(min=2, help="How many: 1, 2, … up to it.")] = 3,
    on: OnOption = "local",
    workers: Annotated[int, typer.Option(min=1, help="Trainings at the same time; they share cores or GPUs.")] = 1,
) -> None:
    """Train recipes with several seeds in both backends, and show published results beside ours.

    Takes long. Trainings that are done stay done; after a stop, the same command resumes.
    """
    project, params = load_project()
    from experiments.reports.batch import Place
    from experiments.reports.page.write import refresh_page
    from experiments.reports.published import PUBLISHED, reproduce

    place = Place(engine_name(on), workers)
    chosen = list(params.recipes if everything else dict.fromkeys(recipes or PUBLISHED))
    print(reproduce(project, params, chosen, range(1, seeds + 1), place))
    refresh_page(project, params)
    print("reports/published.md\nreports/published.json")
    print("Next: `tandem ui` shows the learning curves of every seed.")


app.command(rich_help_panel=PROOF)(reproduce.reproduce)
app.command(hidden=True)(reproduce.trial)


@app.command(rich_help_panel=LOOK)
def runs(
    close: Annotated[
        str, typer.Option(metavar="RUN_ID", help="Mark this run as KILLED: one left RUNNING by a reboot.")
    ] = "",
) -> None:
    """Show which MLflow run each output in runs/ belongs to."""
    project = Project.find()
    from rich.table import Table

    from experiments.reports.runs import COLUMNS, list_runs

    if close:
        from experiments.tracking import runs, store

        store.connect(project)
        runs.close_run(close)
    table = Table(*COLUMNS)
    for row in list_runs(project):
        table.add_row(*row)
    print_table(table)
    print("Next: `tandem ui`, or `dvc repro` where a run is missing.")


@app.command(rich_help_panel=LOOK)
def report() -> None:
    """Open reports/index.html, the page about the runs of the pipeline, in a browser."""
    project = Project.find()
    if not project.page.is_file():
        raise TandemError(f"{project.page}: expected the page that `dvc repro` writes; got none; run that first")
    print(project.page)
    typer.launch(project.page.as_uri())


@app.command(rich_help_panel=LOOK)
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the server listens, on 127.0.0.1.")] = 5000,
) -> None:
    """Serve MLflow over mlruns/, on this machine only."""
    from experiments.tracking.ui import serve

    serve(Project.find(), port)


@app.command(rich_help_panel=LOOK)
def check() -> None:
    """Validate params.yaml."""
    _, params = load_project()
    count = len(params.train.recipes) * len(params.train.backends) * len(params.train.seeds)
    print(f"params.yaml is valid: {len(params.recipes)} recipe(s); `dvc repro` runs {count} training(s)")


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    from experiments.system.stopping import raise_on_signals
    from experiments.system.urls import one_line

    raise_on_signals()
    try:
        app()
    except TandemError as error:
        problem = str(error)
    except OSError as error:  # a full disk, a folder that can't be written, a file where a folder should be
        where = f"{error.filename}: " if error.filename else ""
        problem = f"{where}{error.strerror or one_line(error)}; fix that, and repeat the command"
    except Exception as error:
        # By name, since importing MLflow and Optuna takes seconds.
        if not {kind.__name__ for kind in type(error).__mro__} & {
            "MlflowException",
            "StorageInternalError",
            "DBAPIError",
        }:
            raise
        problem = f"a store failed: {type(error).__name__}: {one_line(error)}; fix that, and repeat the command"
    except Stopped as stopped:
        print("tandem: stopped; repeat the command to resume", file=sys.stderr)
        sys.stderr.flush()
        # Threads of the frameworks can hold up a normal exit; everything is closed by now.
        os._exit(stopped.exit_code)
    else:
        return
    print(f"tandem: {problem}", file=sys.stderr)
    sys.exit(TandemError.exit_code)
