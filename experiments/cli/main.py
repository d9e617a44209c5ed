"""The `tandem` command: parse, call one function, say where the results are.

Heavy imports happen inside the commands, so that `tandem --help` answers at once.
"""

import os
import sys

import typer

from experiments.cli import (
    compare,
    convert,
    export,
    graphs,
    importing,
    ladder,
    look,
    ops,
    predict,
    proof,
    reproduce,
    runs,
    setup,
    stages,
    sweep,
)
from experiments.cli.mistakes import problem_of
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

app.command(rich_help_panel=STAGES)(stages.guard)
app.command(rich_help_panel=STAGES)(stages.download)
app.command(rich_help_panel=STAGES)(stages.preprocess)
app.command(rich_help_panel=STAGES)(stages.sources)
app.command(rich_help_panel=STAGES)(stages.train)
app.command(rich_help_panel=STAGES)(stages.collect)
app.command(rich_help_panel=STAGES)(compare.compare)

app.command(rich_help_panel=PROOF)(proof.parity)
app.command(rich_help_panel=PROOF)(proof.defaults)
app.command(rich_help_panel=PROOF)(proof.layers)
app.command(rich_help_panel=PROOF)(proof.shapes)
app.command(rich_help_panel=PROOF)(proof.published)
app.command(rich_help_panel=PROOF)(reproduce.reproduce)
app.command(hidden=True)(reproduce.trial)

app.command(rich_help_panel=LEARN)(ops.ops)
app.command(rich_help_panel=LEARN)(ladder.ladder)
app.command(rich_help_panel=LEARN)(graphs.graphs)

app.command(rich_help_panel=USE)(convert.convert)
app.command(rich_help_panel=USE)(export.export)
app.command(rich_help_panel=USE)(predict.predict)

app.command(rich_help_panel=LOOK)(runs.runs)
app.command(rich_help_panel=LOOK)(look.report)
app.command(rich_help_panel=LOOK)(look.ui)

app.command(rich_help_panel=SETUP)(setup.doctor)
app.command(rich_help_panel=SETUP)(setup.check)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    from experiments.system.stopping import raise_on_signals

    raise_on_signals()
    try:
        app()
    except Stopped as stopped:
        print("tandem: stopped; repeat the command: trainings resume, all else starts again", file=sys.stderr)
        sys.stderr.flush()
        # Threads of the frameworks can hold up a normal exit; everything is closed by now.
        os._exit(stopped.exit_code)
    except Exception as error:
        if (problem := problem_of(error)) is None:
            raise
        print(f"tandem: {problem}", file=sys.stderr)
        sys.exit(TandemError.exit_code)
