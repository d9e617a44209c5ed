"""The `tandem` command: parse, call one function, say where the results are.

Heavy imports happen inside the commands, so that `tandem --help` answers at once.
"""

import os
import sys
from dataclasses import replace
from typing import Annotated

import typer

from experiments.cli import complete, proof, sweep, two_runs
from experiments.cli.common import load_project
from experiments.cli.output import Cell, JsonOption, show, show_checks, table
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
    recipe: Annotated[
        str, typer.Argument(help="A name under `recipes` in params.yaml.", autocompletion=complete.recipes)
    ],
    backend: Annotated[str, typer.Argument(help="`lightning` or `keras`.", autocompletion=complete.backend)],
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
        two_runs.compare(first, second, as_json=as_json)
        return
    project, params = load_project()
    from experiments.stages.compare import compare
    from experiments.system.files import read_json

    text = compare(project, params)
    files = "reports/compare.md\nreports/compare.json\nreports/pairs/\nreports/index.html"
    hints = ("Next: `tandem report` opens it.", "Next: `tandem ui` opens every run in MLflow.")
    show(read_json(project.reports / "compare.json"), text, files, *hints, as_json=as_json)


for command in (proof.parity, proof.defaults, proof.shapes, proof.published):
    app.command(rich_help_panel=PROOF)(command)


@app.command(rich_help_panel=LOOK)
def runs(
    close: Annotated[
        str, typer.Option(metavar="RUN_ID", help="Mark this run as KILLED: one left RUNNING by a reboot.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show which MLflow run each output in runs/ belongs to."""
    project = Project.find()
    from experiments.reports.runs import list_runs

    if close:
        from experiments.tracking import runs, store

        store.connect(project)
        runs.close_run(close)
    rows = list_runs(project)
    columns: dict[str, Cell] = {
        "output": "output",
        "MLflow run": "mlflow_run_id",
        "status": "status",
        "dataset": "dataset",
        "test accuracy": lambda row: f"{100 * row['test/accuracy']:.2f} %",
        "commit": lambda row: row["git_commit"][:8] + (" + changes" if row["git_dirty"] else ""),
    }
    hint = "Next: `tandem ui`, or `dvc repro` where a run is missing."
    show(rows, table(rows, columns), hint, as_json=as_json)


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


@app.command(rich_help_panel=SETUP)
def doctor(as_json: JsonOption = False) -> None:
    """Look at all that Tandem needs: Python, packages, frameworks, disk, stores, data. Exit code 1 with a problem.

    It changes nothing, and says what to do about what it finds.
    """
    from experiments.doctor.examine import examine

    checks = examine(Project.find())
    count = {state: sum(check.state == state for check in checks) for state in ("problem", "warning")}
    show_checks(checks, f"{count['problem']} problem(s), {count['warning']} warning(s).", as_json=as_json)
    raise typer.Exit(1 if count["problem"] else 0)


@app.command(rich_help_panel=SETUP)
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
