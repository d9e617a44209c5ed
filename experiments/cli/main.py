"""The `tandem` command: parse, call one function, say where the results are.

Heavy imports happen inside the commands, so that `tandem --help` answers at once.
"""

import os
import sys
from dataclasses import replace
from typing import Annotated

import typer

from experiments.cli import (
    compare,
    complete,
    convert,
    export,
    graphs,
    importing,
    ladder,
    ops,
    predict,
    proof,
    reproduce,
    runs,
    setup,
    sweep,
)
from experiments.cli.common import load_project
from experiments.settings.project import Project
from experiments.system.errors import Stopped, TandemError

app = typer.Typer(
    help="One experiment, two frameworks: the same recipe in PyTorch Lightning and in Keras.\n\n"
    "`dvc repro` runs the stages below in their order, those whose inputs have changed. "
    "params.yaml holds every setting.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(sweep.app, name="sweep", rich_help_panel="Tuning")
STAGES, PROOF, LOOK, SETUP = "Stages of the pipeline", "Proof", "Look at the results", "Settings and surroundings"
LEARN, USE = "Learn the two APIs, side by side", "Use a trained model"


app.command("import", rich_help_panel=STAGES)(importing.import_own)


@app.command(rich_help_panel=STAGES)
def guard() -> None:
    """Refuse to go on where data.dvc would replace files in data/ that are nowhere else."""
    from experiments.stages.guard import guard

    guard(Project.find())


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
    """Check the images in data/, split them, and write prepared/."""
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
    recipe: Annotated[
        str, typer.Argument(help="A name under `recipes` in params.yaml.", autocompletion=complete.recipes)
    ],
    backend: Annotated[str, typer.Argument(help="`lightning` or `keras`.", autocompletion=complete.backend)],
    seed: Annotated[int, typer.Argument(min=0, help="Draws initial weights, batch order and dropout.")],
    runs_in: Annotated[str, typer.Option(hidden=True, help="The folder for its outputs, in the project.")] = "runs",
) -> None:
    """Train one recipe in one backend with one seed, into runs/RECIPE/BACKEND/SEED/ and MLflow.

    A training that was stopped resumes from its last epoch. Where DVC keeps the same run of the pipeline's, the outputs
    are in by-hand/runs/.
    """
    project, params = load_project()
    project = replace(project, runs_in=runs_in)
    from experiments.frameworks import backend_name
    from experiments.settings.by_hand import for_command
    from experiments.settings.project import RunKey
    from experiments.stages.train import train

    key = RunKey(recipe, backend_name(backend), seed)
    project = for_command(project, project.run(key))
    metrics = train(project, params, key)
    folder = project.run(key).relative_to(project.root)
    print(f"{folder}: test accuracy {100 * metrics['test/accuracy']:.2f} %, test loss {metrics['test/loss']:.4f}")


@app.command(rich_help_panel=STAGES)
def collect() -> None:
    """Write down which runs `compare` reads, so that it depends on no other."""
    project, params = load_project()
    from experiments.stages.collect import collect

    collect(project, params)


app.command(rich_help_panel=STAGES)(compare.compare)
app.command(rich_help_panel=PROOF)(proof.parity)
app.command(rich_help_panel=PROOF)(proof.defaults)
app.command(rich_help_panel=PROOF)(proof.layers)
app.command(rich_help_panel=PROOF)(proof.shapes)
app.command(rich_help_panel=PROOF)(proof.published)


app.command(rich_help_panel=PROOF)(reproduce.reproduce)
app.command(rich_help_panel=LEARN)(ops.ops)
app.command(rich_help_panel=LEARN)(ladder.ladder)
app.command(rich_help_panel=LEARN)(graphs.graphs)
app.command(rich_help_panel=USE)(convert.convert)
app.command(rich_help_panel=USE)(export.export)
app.command(rich_help_panel=USE)(predict.predict)
app.command(hidden=True)(reproduce.trial)


app.command(rich_help_panel=LOOK)(runs.runs)


@app.command(rich_help_panel=LOOK)
def report() -> None:
    """Write reports/index.html, the page about the runs of the pipeline, and open it in a browser."""
    project, params = load_project()
    from experiments.reports.page.write import write_page

    write_page(project, params)
    print(project.page)
    typer.launch(project.page.as_uri())


@app.command(rich_help_panel=LOOK)
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the server listens, on 127.0.0.1.")] = 5000,
) -> None:
    """Serve MLflow over mlruns/, on this machine only."""
    from experiments.tracking.ui import serve

    serve(Project.find(), port)


app.command(rich_help_panel=SETUP)(setup.doctor)
app.command(rich_help_panel=SETUP)(setup.check)


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
        place = error.filename2 or error.filename  # of a copy, where it goes to: that disk is the full one
        where = f"{place}: " if place else ""
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
        print("tandem: stopped; repeat the command: trainings resume, all else starts again", file=sys.stderr)
        sys.stderr.flush()
        # Threads of the frameworks can hold up a normal exit; everything is closed by now.
        os._exit(stopped.exit_code)
    else:
        return
    print(f"tandem: {problem}", file=sys.stderr)
    sys.exit(TandemError.exit_code)
